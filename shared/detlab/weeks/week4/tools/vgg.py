"""Random weights of a VGG-16, for task 4.3."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# Convolutions of a VGG-16 in torchvision's numbering: index, channels in, channels out.
VGG_CONVOLUTIONS = (
    *((0, 3, 64), (2, 64, 64), (5, 64, 128), (7, 128, 128)),
    *((10, 128, 256), (12, 256, 256), (14, 256, 256)),
    *((17, 256, 512), (19, 512, 512), (21, 512, 512)),
    *((24, 512, 512), (26, 512, 512), (28, 512, 512)),
)


class Weights(dict):
    """A state dict that stays beside the student's code: a check gets a handle to it."""


def vgg_weights(seed: int, with_classifier: bool) -> Weights:
    """Return random weights of a VGG-16, by torchvision's names.

    Activations keep their size from layer to layer. The weights of fully connected layers have rank
    1, so that a check need not make all hundred million numbers itself to know some of them:
    fc6[o, i, y, x] = a[o] · b[i] · c[y, x], fc7[o, i] = d[o] · e[i].

    Args:
        seed: of their generator.
        with_classifier: whether the fully connected layers are there.
    """
    state = Weights()
    for name, value in vgg_features(seed).items():
        state[name] = value
    if with_classifier:
        a, b, c, d, e, bias_6, bias_7 = vgg_factors(seed)
        fc6 = a[:, None, None, None] * (b[:, None, None] * c)
        state["classifier.0.weight"] = fc6.reshape(4096, 512 * 7 * 7)
        state["classifier.0.bias"] = bias_6
        state["classifier.3.weight"] = d[:, None] * e
        state["classifier.3.bias"] = bias_7
        state["classifier.6.weight"] = torch.zeros(1000, 4096)
        state["classifier.6.bias"] = torch.zeros(1000)
    return state


def vgg_features(seed: int) -> dict[str, Tensor]:
    """Return random weights and biases of the thirteen convolutions."""
    rng = torch.Generator().manual_seed(seed)
    state = {}
    for index, channels_in, channels_out in VGG_CONVOLUTIONS:
        deviation = math.sqrt(2 / (9 * channels_in))
        shape = channels_out, channels_in, 3, 3
        state[f"features.{index}.weight"] = deviation * torch.randn(shape, generator=rng)
        state[f"features.{index}.bias"] = 0.1 * torch.randn(channels_out, generator=rng)
    return state


def vgg_factors(seed: int) -> list[Tensor]:
    """Return the factors of the fully connected weights, and both biases."""
    rng = torch.Generator().manual_seed(seed + 1)
    sizes = ((4096,), (512,), (7, 7), (4096,), (4096,), (4096,), (4096,))
    return [0.1 + 0.3 * torch.rand(size, generator=rng) for size in sizes]
