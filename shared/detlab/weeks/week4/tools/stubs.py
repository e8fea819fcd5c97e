"""Stand-ins for a network and its parts: of the right shapes, and nothing else."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class TinyDetector(nn.Module):
    """A stand-in for a network: offsets and logits that depend on little.

    Args:
        num_priors: rows of its answers.
        num_classes: columns of its logits.
    """

    def __init__(self, num_priors: int, num_classes: int, seed: int):
        super().__init__()
        rng = torch.Generator().manual_seed(seed)
        self.offsets = nn.Parameter(0.1 * torch.randn(num_priors, 4, generator=rng))
        self.logits = nn.Parameter(0.1 * torch.randn(num_priors, num_classes, generator=rng))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Answer for (N, 3, H, W) images."""
        level = images.float().mean((1, 2, 3))[:, None, None]
        return self.offsets * (1 + 0.1 * level), self.logits * (1 + 0.1 * level)


def tiny_detector(num_priors: int, num_classes: int, seed: int) -> TinyDetector:
    """Return a stand-in for a network, in training mode."""
    return TinyDetector(num_priors, num_classes, seed)


class StubBase(nn.Module):
    """A stand-in for a base: two maps of the right shapes, without VGG-16."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 512, 1), nn.Conv2d(3, 1024, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Map (N, 3, 300, 300) to (N, 512, 38, 38) and (N, 1024, 19, 19)."""
        large, small = (nn.functional.adaptive_avg_pool2d(images, size) for size in (38, 19))
        return self.first(large).relu(), self.second(small).relu()


class StubAuxiliary(nn.Module):
    """A stand-in for auxiliary convolutions: four maps of the right shapes."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(1024, c, 1) for c in (512, 256, 256, 256))

    def forward(self, conv7: Tensor) -> list[Tensor]:
        """Map (N, 1024, 19, 19) to four maps."""
        sizes = zip(self.layers, (10, 5, 3, 1), strict=True)
        return [layer(nn.functional.adaptive_avg_pool2d(conv7, size)) for layer, size in sizes]


class StubPrediction(nn.Module):
    """A stand-in for prediction convolutions: answers that depend on every map."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes

    def forward(self, features: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Map six maps to (N, 8732, 4) and (N, 8732, C)."""
        levels = []
        for one, count in zip(features, (4, 6, 6, 6, 4, 4), strict=True):
            weights = torch.linspace(0.5, 1.5, one.shape[1])[:, None, None]
            levels.append((one * weights).mean(1).flatten(1).repeat(1, count))
        level = torch.cat(levels, 1)[..., None]
        return level * torch.ones(4), level * torch.linspace(1, 2, self.num_classes)


def stub(name: str, *arguments: Any) -> nn.Module:
    """Return a stand-in for a part of the network."""
    return {
        "VGGBase": StubBase,
        "AuxiliaryConvolutions": StubAuxiliary,
        "PredictionConvolutions": StubPrediction,
    }[name](*arguments)
