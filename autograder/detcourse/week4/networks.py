"""The right networks of week 4, as functions of weights that a check knows."""

import functools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from detcourse.learning import Call, expect_learning
from detlab.checking.expect import expect_list, fail
from detlab.checking.student import Handle, Student
from detlab.weeks.week4.assertions import (
    CHANNELS,
    FEATURE_SIZES,
    PER_CELL,
    apply,
    check_settings,
    weights_of,
)
from detlab.weeks.week4.tools.vgg import VGG_CONVOLUTIONS, vgg_features

# Maps of six sizes, and of each the auxiliary block that makes it: 1×1 and 3×3 convolution.
AUXILIARY = (
    ((1024, 256, 1, 1, 0), (256, 512, 3, 2, 1)),
    ((512, 128, 1, 1, 0), (128, 256, 3, 2, 1)),
    ((256, 128, 1, 1, 0), (128, 256, 3, 1, 0)),
    ((256, 128, 1, 1, 0), (128, 256, 3, 1, 0)),
)
KEYS = ("in_channels", "out_channels", "kernel_size", "stride", "padding")
CONV4_3 = 21
# What is told of a convolution, and its weights and biases.
Layer = tuple[dict, tuple[Tensor, Tensor]]


def seeded(layers: list[dict], seed: int) -> list[Layer]:
    """Give convolutions, in the order in which they are called, the weights of a seed."""
    return [(layer, weights_of(layer, seed + n)) for n, layer in enumerate(layers)]


def vgg_base(images: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Apply the thirteen convolutions; return conv4_3 and what pool5 makes."""
    features, conv4_3 = images, None
    for index, _, _ in VGG_CONVOLUTIONS:
        weight, bias = state[f"features.{index}.weight"], state[f"features.{index}.bias"]
        features = F.relu(F.conv2d(features, weight, bias, padding=1))
        if index == CONV4_3:
            conv4_3 = features
        if index in (2, 7, CONV4_3):
            features = F.max_pool2d(features, 2, 2)
        elif index == 14:
            features = F.max_pool2d(features, 2, 2, ceil_mode=True)
        elif index == 28:
            features = F.max_pool2d(features, 3, 1, 1)
    return conv4_3, features


@functools.lru_cache(maxsize=4)
def features_of(seed: int) -> dict[str, Tensor]:
    """Return the weights that `vgg_weights` makes of a seed."""
    return vgg_features(seed)


def check_learning(
    student: Student,
    net: Handle,
    call: Call,
    arguments: list,
    rng: torch.Generator,
    what: str,
    **about: Any,
) -> None:
    """Check that in training a module answers as in evaluation, and all of it gets gradients.

    Args:
        call, about: see `expect_learning`.
    """
    calm = call(arguments)
    student.tell("set_training", net, True)
    answers = call(arguments)
    student.tell("set_training", net, False)
    for one, other in zip(answers, calm, strict=True):
        scale = float(other.double().abs().max()) if other.numel() else 0.0
        if not torch.allclose(one.double(), other.double(), rtol=0, atol=1e-3 * scale):
            fail(
                f"{what} answers otherwise in training than in evaluation: the statement has "
                "neither dropout nor normalisation by batches."
            )
    expect_learning(student, net, call, arguments, rng, what, **about)


def first_alone(number: int, weights: Tensor) -> Tensor:
    """Let the first of several answers count alone."""
    return weights if number == 0 else torch.zeros_like(weights)


def check_auxiliary(layers: list[dict], what: str = "The auxiliary convolutions") -> None:
    """Compare the settings of eight auxiliary convolutions, in order."""
    rows = [row for block in AUXILIARY for row in block]
    for n, (layer, row) in enumerate(zip(layers, rows, strict=True)):
        name = f"conv{8 + n // 2}_{1 + n % 2}"
        check_settings(layer, f"{what}, {name}", **dict(zip(KEYS, row, strict=True)))


def auxiliary(layers: list[Layer], conv7: Tensor) -> list[Tensor]:
    """Apply eight convolutions; return four maps."""
    maps, features = [], conv7
    for n, (layer, weights) in enumerate(layers):
        features = F.relu(apply(layer, weights, features))
        if n % 2:
            maps.append(features)
    return maps


def heads_by_map(layers: list[Layer], num_classes: int) -> list[tuple[Layer, Layer]]:
    """Sort twelve convolutions: for each map that of the offsets and that of the logits."""
    pairs = []
    for size, channels, per_cell in zip(FEATURE_SIZES, CHANNELS, PER_CELL, strict=True):
        mine = [one for one in layers if one[0]["size"] == size]
        found = []
        for what, numbers in (("offsets", 4), ("logits", num_classes)):
            fitting = [one for one in mine if one[0]["out_channels"] == numbers * per_cell]
            if len(mine) != 2 or len(fitting) != 1:
                fail(
                    f"The map of {size}×{size} cells needs two convolutions: one of "
                    f"{4 * per_cell} channels for the offsets and one of {num_classes * per_cell} "
                    f"for the logits of {num_classes} classes."
                )
            settings = {"in_channels": channels, "kernel_size": 3, "stride": 1, "padding": 1}
            name = f"The convolution for the {what} of {size}×{size} cells"
            check_settings(fitting[0][0], name, **settings)
            found.append(fitting[0])
        pairs.append(tuple(found))
    return pairs


def predictions(layers: list[Layer], maps: list[Tensor], num_classes: int) -> tuple[Tensor, Tensor]:
    """Apply the heads: offsets and logits, (N, P, 4) and (N, P, C)."""
    answers: tuple[list, list] = ([], [])
    for pair, features in zip(heads_by_map(layers, num_classes), maps, strict=True):
        for n, ((layer, weights), numbers) in enumerate(zip(pair, (4, num_classes), strict=True)):
            out = apply(layer, weights, features)
            rows = out.permute(0, 2, 3, 1).reshape(len(out), -1, numbers)
            answers[n].append(rows)
    return torch.cat(answers[0], 1), torch.cat(answers[1], 1)


def rescaled(features: Tensor, factor: float | Tensor = 20.0) -> Tensor:
    """Scale each place's vector to length 1, then by a factor."""
    return features / features.square().sum(1, keepdim=True).sqrt().clamp(min=1e-12) * factor


def random_maps(rng: torch.Generator, count: int) -> list[Tensor]:
    """Return six random feature maps, as ReLUs leave them."""
    return [
        torch.randn(count, channels, size, size, generator=rng).relu()
        for channels, size in zip(CHANNELS, FEATURE_SIZES, strict=True)
    ]


def expect_two(value: object, what: str) -> list:
    """Take a value as a pair."""
    return expect_list(value, what, 2)
