"""Tools of week 5's checks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from detlab.weeks.training_tools import asking_loader

__all__ = [
    "asking_loader",
    "layers_called",
    "learning_numbers",
    "resnet_state",
    "set_state",
    "step_downhill",
    "stub",
    "weighted",
]

KINDS = {"convolution": nn.Conv2d, "normalisation": nn.BatchNorm2d}
SETTINGS = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups")


class State(dict):
    """A state dict that stays beside the student's code: a check gets a handle to it."""


def layers_called(module: nn.Module, arguments: list[Any]) -> list[dict[str, Any]]:
    """Call a module without gradients; tell of its convolutions and normalisations, in order.

    Returns:
        For each call "name", of the layer within the module; "kind", a key of KINDS; and of a
        convolution "shape", of its weights, "bias", whether it has some, and its SETTINGS.
    """
    told: list[dict[str, Any]] = []

    def noting(name: str, kind: str) -> Any:
        def note(layer: Any, _: Any) -> None:
            about: dict[str, Any] = {"name": name, "kind": kind}
            if kind == "convolution":
                about["shape"] = list(layer.weight.shape)
                about["bias"] = layer.bias is not None
                about |= {key: getattr(layer, key) for key in SETTINGS}
            told.append(about)

        return note

    hooks = [
        layer.register_forward_pre_hook(noting(name, kind))
        for name, layer in module.named_modules()
        for kind, of in KINDS.items()
        if isinstance(layer, of)
    ]
    try:
        with torch.no_grad():
            module(*arguments)
    finally:
        for hook in hooks:
            hook.remove()
    return told


def set_state(module: nn.Module, values: dict[str, Tensor]) -> None:
    """Give some of a module's parameters and buffers other values, by their names."""
    module.load_state_dict(values, strict=False)


def step_downhill(module: nn.Module, images: Tensor, weights: Tensor, rate: float) -> None:
    """Take one plain step of SGD on a weighted sum of a module's answers."""
    # As whoever trains it together with a head asks for its parameters.
    optimizer = torch.optim.SGD(nn.Sequential(module).parameters(), rate)
    optimizer.zero_grad()
    with torch.enable_grad():
        (module(images) * weights).sum().backward()
    optimizer.step()


def learning_numbers(module: nn.Module) -> int:
    """Count the numbers of a module that are meant to learn."""
    every = nn.Sequential(module).parameters()
    return sum(one.numel() for one in every if one.requires_grad)


def weighted(function: Callable[..., Tensor], weights: Tensor) -> Callable[..., Tensor]:
    """Return a function that adds up what another one returns, each number times its weight."""

    def total(*arguments: Any) -> Tensor:
        return (function(*arguments) * weights).sum()

    return total


def resnet_state(seed: int) -> State:
    """Return a random state of torchvision's ResNet-34, in which activations keep their size.

    Args:
        seed: of their generator.
    """
    from torchvision.models import resnet34

    rng, state = torch.Generator().manual_seed(seed), State()
    with torch.device("meta"):
        shapes = {name: one.shape for name, one in resnet34().state_dict().items()}
    for name, shape in shapes.items():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.zeros((), dtype=torch.int64)
        elif len(shape) == 4:
            deviation = math.sqrt(2 / math.prod(shape[1:]))
            state[name] = deviation * torch.randn(shape, generator=rng)
        elif name.startswith("fc."):
            state[name] = torch.zeros(shape)
        elif name.endswith(("running_mean", "bias")):
            state[name] = 0.2 * torch.randn(shape, generator=rng)
        else:
            state[name] = 0.5 + torch.rand(shape, generator=rng)
    return state


class StubConvBlock(nn.Module):
    """A stand-in for a block: of the right shapes, without what comes between."""

    def __init__(self, channels_in: int, channels_out: int, stride: int = 2, drop: float = 0.1):
        super().__init__()
        self.stub_convolution = nn.Conv2d(channels_in, channels_out, 3, stride, 1)
        self.stub_normalisation = nn.BatchNorm2d(channels_out)
        self.stub_dropout = nn.Dropout(p=drop)

    def forward(self, features: Tensor) -> Tensor:
        """Map to half the size, or to the same."""
        return self.stub_dropout(self.stub_normalisation(self.stub_convolution(features)))


class StubOutputBlock(nn.Module):
    """A stand-in for an output block: of the right shapes, its rows in an order of its own."""

    def __init__(self, channels_in: int, per_cell: int, num_classes: int, bias: float = -4.0):
        super().__init__()
        self.per_cell = per_cell
        self.stub_boxes, self.stub_classes = (
            nn.Conv2d(channels_in, numbers * per_cell, kernel_size=3, padding=1)
            for numbers in (4, num_classes)
        )
        nn.init.constant_(self.stub_classes.bias, bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Answer for each anchor."""
        boxes, classes = (
            layer(features).unflatten(1, (self.per_cell, -1)).flatten(3).transpose(2, 3)
            for layer in (self.stub_boxes, self.stub_classes)
        )
        return boxes.flatten(1, 2), classes.flatten(1, 2)


def stub(name: str, arguments: list[Any], named: dict[str, Any]) -> nn.Module:
    """Return a stand-in for a part of the head."""
    return {"ConvBlock": StubConvBlock, "OutputBlock": StubOutputBlock}[name](*arguments, **named)
