"""The right blocks and networks of week 5, as functions of weights that a check knows."""

from __future__ import annotations

import functools
import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from detlab.checking.expect import expect_list, fail
from detlab.checking.replies import MOST_NUMBERS, expect_form
from detlab.checking.student import Handle, Student
from detlab.weeks.week5.assertions import parts_of_head
from detlab.weeks.week5.tools import resnet_state

CONVOLUTION = {
    "shape": [int],
    "bias": bool,
    **dict.fromkeys(("in_channels", "out_channels", "groups"), int),
    **dict.fromkeys(("kernel_size", "stride", "padding", "dilation"), (int, int)),
}
EPSILON = 1e-5  # of nn.BatchNorm2d
Weights = dict[str, Tensor]


def expect_settings(layer: dict[str, Any], what: str, stride: int, shape: list[int]) -> None:
    """Check what is told of a 3×3 convolution with padding 1."""
    if isinstance(layer.get("padding"), str) and layer["padding"] == "same":
        layer = layer | {"padding": (1, 1)}  # as torch's 3×3 convolutions have it
    expect_form(layer, CONVOLUTION, what)
    if layer["shape"] != shape:
        fail(f"{what} must have weights of shape {tuple(shape)}, not {tuple(layer['shape'])}.")
    if not layer["bias"] or layer["groups"] != 1:
        fail(f"{what} must have biases, and no groups.")
    for name, value in (("stride", stride), ("padding", 1), ("dilation", 1)):
        if tuple(layer[name]) != (value, value):
            fail(f"{what}: its {name} must be {value}, but is {tuple(layer[name])}.")


def give_weights(
    student: Student, module: Handle, layers: list[dict[str, Any]], rng: torch.Generator
) -> list[Weights]:
    """Give the layers of a module random weights; return them, in the order of the layers."""
    drawn, values = [], {}
    for layer in layers:
        own = convolution_weights(layer["shape"], rng) if "shape" in layer else {}
        drawn.append(own)
    # A normalisation has as many channels as the convolution before it.
    for n, layer in enumerate(layers):
        if "shape" not in layer:
            drawn[n] = normalisation_weights(layers[n - 1]["shape"][0], rng)
        prefix = f"{layer['name']}." if layer["name"] else ""
        values |= {prefix + name: one for name, one in drawn[n].items()}
    student.tell("set_state", module, values)
    return drawn


def convolution_weights(shape: list[int], rng: torch.Generator) -> Weights:
    """Draw weights that keep the size of activations, and biases."""
    if math.prod(shape) > MOST_NUMBERS:
        fail("A convolution is larger than any that is asked for.")
    deviation = math.sqrt(2 / math.prod(shape[1:]))
    return {
        "weight": deviation * torch.randn(shape, generator=rng),
        "bias": 0.5 * torch.randn(shape[0], generator=rng),
    }


def normalisation_weights(channels: int, rng: torch.Generator) -> Weights:
    """Draw the weights and the statistics of a normalisation."""
    return {
        "weight": 0.5 + torch.rand(channels, generator=rng),
        "bias": 0.5 * torch.randn(channels, generator=rng),
        "running_mean": 0.3 * torch.rand(channels, generator=rng),
        "running_var": 0.5 + torch.rand(channels, generator=rng),
    }


def block(
    features: Tensor,
    convolution: Weights,
    normalisation: Weights,
    stride: int,
    training: bool,
    with_relu: bool = True,
) -> Tensor:
    """Apply convolution, ReLU and batch normalisation; in float64."""
    conv, norm = (
        {name: one.double() for name, one in part.items()} for part in (convolution, normalisation)
    )
    found = F.conv2d(features.double(), conv["weight"], conv["bias"], stride, 1)
    found = found.relu() if with_relu else found
    mean, variance = norm["running_mean"], norm["running_var"]
    if training:
        mean, variance = found.mean((0, 2, 3)), found.var((0, 2, 3), unbiased=False)
    found = (found - mean[:, None, None]) / (variance[:, None, None] + EPSILON).sqrt()
    return found * norm["weight"][:, None, None] + norm["bias"][:, None, None]


def outputs(
    features: Tensor, boxes: Weights, classes: Weights, num_classes: int
) -> tuple[Tensor, Tensor]:
    """Apply an output block: activations (N, P, 4) and logits (N, P, C), float64."""
    answers = []
    for part, numbers in ((boxes, 4), (classes, num_classes)):
        found = F.conv2d(features.double(), part["weight"].double(), part["bias"].double(), 1, 1)
        channels, height, width = found.shape[1:]
        rows = [
            found[:, numbers * a : numbers * (a + 1), i, j]
            for i in range(height)
            for j in range(width)
            for a in range(channels // numbers)
        ]
        answers.append(torch.stack(rows, 1))
    return answers[0], answers[1]


def outputs_of_stub(
    features: Tensor, boxes: Weights, classes: Weights, num_classes: int
) -> tuple[Tensor, Tensor]:
    """Apply the stand-in of an output block: anchor by anchor, for each all cells."""
    answers = []
    for part, numbers in ((boxes, 4), (classes, num_classes)):
        found = F.conv2d(features.double(), part["weight"].double(), part["bias"].double(), 1, 1)
        rows = [one.flatten(2).transpose(1, 2) for one in found.split(numbers, 1)]
        answers.append(torch.cat(rows, 1))
    return answers[0], answers[1]


def output_layers(
    layers: list[dict[str, Any]], what: str, channels: int, per_cell: int, num_classes: int
) -> tuple[int, int]:
    """Return which of two convolutions is for the boxes, and which for the classes."""
    numbers = []
    for name, wanted in (("boxes", 4 * per_cell), ("classes", num_classes * per_cell)):
        found = [n for n, layer in enumerate(layers) if layer.get("out_channels") == wanted]
        if len(found) != 1:
            fail(
                f"{what} needs one convolution of {wanted} channels for the {name} of {per_cell} "
                "anchors in a cell."
            )
        shape = [wanted, channels, 3, 3]
        expect_settings(layers[found[0]], f"{what}, the convolution for the {name}", 1, shape)
        numbers.append(found[0])
    return numbers[0], numbers[1]


@functools.lru_cache(maxsize=2)
def right_backbone(seed: int) -> nn.ModuleList:
    """Return the five stages of a ResNet-34 with the weights of a seed, in evaluation mode."""
    from torchvision.models import resnet34

    with torch.device("meta"):
        net = resnet34()
    net.load_state_dict(resnet_state(seed), assign=True)
    stem = nn.Sequential(net.conv1, net.bn1, net.relu, net.maxpool)
    return nn.ModuleList([stem, net.layer1, net.layer2, net.layer3, net.layer4]).eval()


def features_of(stages: nn.ModuleList, images: Tensor) -> Tensor:
    """Apply the stages of a backbone."""
    for stage in stages:
        images = stage(images)
    return images


def head_layers(
    student: Student, head: Handle, channels_in: int, width: int, num_classes: int, per_cell: int
) -> list[dict[str, Any]]:
    """Return the layers of an `SSDHead` in the order of their calls, as checked.

    First the convolution and the normalisation of four blocks, then the convolutions for boxes and
    for classes, which answer for three maps.
    """
    what = "`SSDHead`"
    blocks, ends = parts_of_head(student, head, torch.zeros(1, channels_in, 7, 7))
    for n, layer in enumerate(blocks[::2]):
        expect_settings(
            layer,
            f"{what}, convolution {n + 1}",
            2 if n else 1,
            [width, width if n else channels_in, 3, 3],
        )
    pair = output_layers(ends, what, width, per_cell, num_classes)
    return [*blocks, *(ends[n] for n in pair)]


def answers_of_head(
    features: Tensor,
    layers: list[dict[str, Any]],
    weights: list[Weights],
    num_classes: int,
    training: bool,
) -> tuple[Tensor, Tensor]:
    """Apply a head whose layers have these weights (see `head_layers`).

    Where its parts are those of `stand_ins.py`, they do what these do.
    """
    in_block, at_end = ("stub" in layers[n]["name"] for n in (0, -1))
    activations, logits = [], []
    for n in range(4):
        stride = 2 if n else 1
        features = block(features, *weights[2 * n : 2 * n + 2], stride, training, not in_block)
        if n:
            rows = outputs_of_stub if at_end else outputs
            one, other = rows(features, weights[8], weights[9], num_classes)
            activations.append(one)
            logits.append(other)
    return torch.cat(activations, 1), torch.cat(logits, 1)


def expect_two(value: object, what: str) -> list[Any]:
    """Take a value as a pair."""
    return expect_list(value, what, 2)
