"""Assertions that the visible and the hidden checks of week 4 share."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from detlab.checking.expect import (
    expect_close,
    expect_equal,
    expect_handle,
    expect_int,
    expect_ints,
    expect_keys,
    expect_list,
    expect_number,
    expect_tensor,
    fail,
)
from detlab.checking.own_work import expect_work_without
from detlab.checking.student import Handle, Student
from detlab.checking.workbench import StudentError
from detlab.weeks.detection import expect_floats, expect_indices
from detlab.weeks.week4.tools.convolutions import SETTINGS, seeded_weights

SIDE = 300
FEATURE_SIZES = (38, 19, 10, 5, 3, 1)
CHANNELS = (512, 1024, 512, 256, 256, 256)
SCALES = (0.1, 0.2, 0.375, 0.55, 0.725, 0.9)
FEW, MANY = (1.0, 2.0, 1 / 2), (1.0, 2.0, 1 / 2, 3.0, 1 / 3)
RATIOS = (FEW, MANY, MANY, MANY, FEW, FEW)
PER_CELL = tuple(len(ratios) + 1 for ratios in RATIOS)
NUM_PRIORS = sum(n * size * size for n, size in zip(PER_CELL, FEATURE_SIZES, strict=True))
TARGET = ("boxes", "labels", "difficult")
MEASURES = ("largest", "deviation", "largest_bias")
MOST = 10_000  # channels of a convolution, or sides of its kernel, and more than any has
FORBIDDEN = ("models", "detlab")

Target = Mapping[str, Tensor]


def expect_own_work(student: Student, name: str, **arguments: Any) -> None:
    """Check that a function does its work without the course's own."""
    expect_work_without(student, ("detlab",), name, **arguments)


def expect_image(value: Any, what: str, shape: Sequence[int]) -> Tensor:
    """Take a value as a float32 image of this shape."""
    value = expect_floats(value, what, shape)
    if value.dtype != torch.float32:
        fail(f"{what} must be float32, but is {value.dtype}.")
    return value


def expect_any_image(value: Any, what: str) -> Tensor:
    """Take a value as a float32 image of three channels, of any size."""
    value = expect_tensor(value, what)
    if value.dim() != 3 or value.shape[0] != 3 or 0 in value.shape:
        fail(f"{what} must have shape (3, H, W), but has {tuple(value.shape)}.")
    return expect_image(value, what, value.shape)


def expect_target(value: Any, what: str) -> dict[str, Tensor]:
    """Take a value as a target: boxes, labels and difficulties that fit together."""
    target = expect_keys(value, TARGET, what)
    labels = expect_tensor(target["labels"], f'{what}, "labels",')
    count = len(labels) if labels.dim() == 1 else -1
    if count < 0:
        fail(f'{what}: "labels" must have shape (n,), but have {tuple(labels.shape)}.')
    expect_indices(labels, f'{what}, "labels",', (count,))
    boxes = expect_floats(target["boxes"], f'{what}, "boxes",', (count, 4))
    if boxes.dtype != torch.float32:
        fail(f'{what}: "boxes" must be float32, but are {boxes.dtype}.')
    difficult = expect_tensor(target["difficult"], f'{what}, "difficult",', (count,))
    if difficult.dtype != torch.bool:
        fail(f'{what}: "difficult" must be bool, but is {difficult.dtype}.')
    return {name: target[name] for name in TARGET}


def check_target(
    value: Any, expected: Target, what: str, tolerance: float = 1e-5
) -> dict[str, Tensor]:
    """Compare a target with the right one, object by object, in their order."""
    target = expect_target(value, what)
    counts = len(target["labels"]), len(expected["labels"])
    if counts[0] != counts[1]:
        fail(f"{what} has {counts[0]} objects where {counts[1]} are right.")
    cause = causes_of_boxes(target["boxes"], expected["boxes"])
    expect_close(target["boxes"], expected["boxes"], f"{what}: the boxes", tolerance, cause)
    for name in TARGET[1:]:
        if not torch.equal(target[name], expected[name]):
            fail(f'{what}: "{name}" is wrong, though the boxes are right.')
    return target


def causes_of_boxes(boxes: Tensor, expected: Tensor) -> str:
    """Guess why boxes are wrong; the empty string when nothing is plain."""
    if len(expected) == 0:
        return ""
    difference = (boxes - expected).double()
    if float((difference - difference[0, 0]).abs().max()) < 1e-3 and difference[0, 0].abs() > 1e-3:
        return f"All coordinates are off by {float(difference[0, 0]):g}."
    minima, maxima = difference.split(2, dim=1)
    for right, wrong, words in (
        (minima, maxima, "x_min and y_min are right, x_max and y_max"),
        (maxima, minima, "x_max and y_max are right, x_min and y_min"),
    ):
        by = float(wrong[0, 0])
        if max(float((wrong - by).abs().max()), float(right.abs().max())) < 1e-3 < abs(by):
            return f"{words} are off by {by:g}."
    if torch.allclose(boxes[:, [1, 0, 3, 2]], expected, atol=1e-4):
        return "x and y are exchanged."
    if bool((boxes[:, 2] < boxes[:, 0]).any() | (boxes[:, 3] < boxes[:, 1]).any()):
        return "Some boxes are reversed: x_max < x_min or y_max < y_min."
    return ""


def make_module(student: Student, name: str, **arguments: Any) -> Handle:
    """Make one of the student's modules, in evaluation mode."""
    module = expect_handle(getattr(student, name)(**arguments), f"`{name}`", "an nn.Module")
    student.tool("set_training", module, False)
    return module


def make_ssd(student: Student, num_classes: int) -> Handle:
    """Make an `SSD300` in evaluation mode."""
    return make_module(student, "SSD300", num_classes=num_classes)


def expect_answers(value: Any, what: str, count: int, num_classes: int) -> tuple[Tensor, Tensor]:
    """Take a value as offsets and logits for all priors."""
    parts = expect_list(value, f"{what} (offsets, logits)", 2)
    shapes = (count, NUM_PRIORS, 4), (count, NUM_PRIORS, num_classes)
    offsets, logits = (
        expect_image(part, f"The {name}", shape)
        for part, name, shape in zip(parts, ("offsets", "logits"), shapes, strict=True)
    )
    return offsets, logits


def expect_maps(value: Any, what: str, shapes: Sequence[Sequence[int]]) -> list[Tensor]:
    """Take a value as feature maps of these shapes."""
    parts = expect_list(value, what, len(shapes))
    return [
        expect_floats(part, f"{what}, map {n},", shape)
        for n, (part, shape) in enumerate(zip(parts, shapes, strict=True), 1)
    ]


def expect_convolutions(value: Any, count: int, what: str) -> tuple[Any, list[dict[str, Any]]]:
    """Take what `convolutions_of` tells: the result, and so many convolutions in order."""
    told = expect_keys(value, ("result", "convolutions", "same"), what)
    convolutions = expect_list(told["convolutions"], what)
    if len(convolutions) != count:
        fail(f"{what} calls {len(convolutions)} convolutions (nn.Conv2d), not {count}.")
    if expect_int(told["same"], what):
        fail(f"{what} calls a convolution more than once: each has weights of its own.")
    return told["result"], [expect_convolution(layer, what) for layer in convolutions]


def expect_convolution(value: Any, what: str) -> dict[str, Any]:
    """Take what is told of one convolution; a padding of "same" becomes its number of cells."""
    layer = dict(expect_keys(value, (*SETTINGS, "size", "bias", *MEASURES), what))
    for name in ("in_channels", "out_channels", "groups", "size"):
        expect_int(layer[name], f"{what}, {name} of a convolution")
    for name in ("kernel_size", "stride", "dilation"):
        layer[name] = expect_ints(layer[name], f"{what}, {name} of a convolution", 2)
    if isinstance(layer["padding"], str) and layer["padding"] in ("same", "valid"):
        reach = zip(layer["kernel_size"], layer["dilation"], strict=True)
        same = layer["padding"] == "same"
        layer["padding"] = tuple(same * (side - 1) * step // 2 for side, step in reach)
    layer["padding"] = expect_ints(layer["padding"], f"{what}, padding of a convolution", 2)
    for name in MEASURES:
        expect_number(layer[name], f"{what}, {name} of a convolution's weights")
    counts = layer["in_channels"], layer["out_channels"], *layer["kernel_size"], *layer["dilation"]
    if not all(0 < count <= MOST for count in counts):
        fail(f"{what} has a convolution of {counts[0]} to {counts[1]} channels that is none.")
    if layer["bias"] is not True:
        fail(f"{what} has a convolution without biases.")
    if layer["groups"] != 1:
        fail(f"{what} has a convolution in groups.")
    return layer


def check_settings(layer: dict[str, Any], what: str, **settings: int) -> None:
    """Compare a convolution's settings with those of the statement."""
    for name, value in settings.items():
        pair = value if name.endswith("channels") else (value, value)
        if layer.get(name) != pair:
            fail(f"{what}: its {name} must be {value}, but is {layer.get(name)}.")


def weights_called(
    student: Student, module: Handle, images: Tensor, number: int, what: str
) -> tuple[Tensor, Tensor]:
    """Return weights and biases of the convolution that is called so many after the first.

    Args:
        what: which one that is, for messages.
    """
    (found,) = all_weights_called(student, module, [images], [number], what)
    return found


def all_weights_called(
    student: Student, module: Handle, arguments: list[Any], numbers: Sequence[int], what: str
) -> list[tuple[Tensor, Tensor]]:
    """Return weights and biases of those convolutions that are called so many after the first."""
    told = student.tool("weights_called", module, arguments, list(numbers))
    pairs = []
    for pair in expect_list(told, f"The weights of {what}", len(numbers)):
        parts = expect_list(pair, f"The weights of {what}", 2)
        weights, biases = (expect_floats(one, f"The weights of {what}").float() for one in parts)
        pairs.append((weights, biases))
    return pairs


def check_xavier(pairs: Sequence[tuple[Tensor, Tensor]], what: str) -> None:
    """Check that weights and biases of convolutions are fresh: Xavier uniform, zeros."""
    if any(weights.dim() != 4 or not weights.numel() for weights, _ in pairs):
        fail(f"{what}: the weights of a convolution have four dimensions.")
    check_fresh(
        [
            {
                "kernel_size": tuple(weights.shape[2:]),
                "in_channels": weights.shape[1],
                "out_channels": weights.shape[0],
                "largest": float(weights.abs().max()),
                "deviation": float(weights.std()),
                "largest_bias": float(biases.abs().max()) if biases.numel() else 1.0,
            }
            for weights, biases in pairs
        ],
        what,
    )


def check_fresh(layers: Sequence[dict[str, Any]], what: str) -> None:
    """Check that convolutions have fresh weights: Xavier uniform, zero biases."""
    for layer in layers:
        receptive = layer["kernel_size"][0] * layer["kernel_size"][1]
        limit = (6 / (receptive * (layer["in_channels"] + layer["out_channels"]))) ** 0.5
        # Of thousands of uniform numbers the largest is near the limit, the deviation limit/√3.
        largest, spread = layer["largest"] / limit, layer["deviation"] / limit * 3**0.5
        if not (0.97 < largest < 1.001 and 0.95 < spread < 1.05) or layer["largest_bias"]:
            fail(f"{what}: fresh weights are Xavier uniform, fresh biases zero.")


def weights_of(layer: dict[str, Any], seed: int) -> tuple[Tensor, Tensor]:
    """Return the weights and biases that a convolution gets of a seed."""
    shape = [layer["out_channels"], layer["in_channels"], *layer["kernel_size"]]
    return seeded_weights(shape, seed)


def apply(layer: dict[str, Any], weights: tuple[Tensor, Tensor], inputs: Tensor) -> Tensor:
    """Apply a convolution as `convolutions_of` describes it, with these weights and biases."""
    settings = {name: layer[name] for name in ("stride", "padding", "dilation", "groups")}
    channels = layer["out_channels"], layer["in_channels"]
    shapes = [tuple(one.shape) for one in weights]
    if shapes != [(*channels, *layer["kernel_size"]), channels[:1]]:
        fail("A convolution's weights do not have the shape that its settings tell.")
    if inputs.shape[1] != channels[1]:
        fail(f"A convolution of {channels[1]} channels meets a map of {inputs.shape[1]}.")
    return F.conv2d(inputs, *weights, **settings)


def expect_refusal(
    student: Student, name: str, kind: str, words: Sequence[str], **arguments: Any
) -> None:
    """Check that a function raises an error of some kind that mentions these words."""
    try:
        getattr(student, name)(**arguments)
    except StudentError as error:
        call = student.fetch(name), list(arguments.values()), kind
        if error.type_name != kind and student.tool("raises", *call) is not True:
            raise
        missing = [word for word in words if word not in (error.said or error.message)]
        if missing:
            fail(f"`{name}`'s {kind} must say {missing[0]!r}, and does not.")
        return
    fail(f"`{name}` must raise a {kind} here.")


def check_label_map(value: Any, names: Sequence[str]) -> None:
    """Compare a label map."""
    if type(value) is not dict or any(type(number) is not int for number in value.values()):
        fail("`make_label_map` must return a dict of ints.")
    if value != {"background": 0} | {name: n for n, name in enumerate(names, 1)}:
        fail("The label map is wrong: the background is 0, the names follow from 1, in order.")


def check_groups(groups: Any, biases: set[str], weights: set[str]) -> None:
    """Compare an optimizer's groups with the paper's settings."""
    groups = expect_list(groups, "The optimizer's groups")
    seen: dict[str, float] = {}
    for group in groups:
        keys = ("lr", "momentum", "weight_decay", "dampening", "nesterov", "names")
        group = expect_keys(group, keys, "A group of the optimizer")
        wanted = {"momentum": 0.9, "weight_decay": 5e-4, "dampening": 0.0}
        for key, value in wanted.items():
            number = expect_number(group[key], f"{key} of a group of the optimizer")
            if abs(number - value) > 1e-9:
                fail(f"{key} must be {value:g} for all parameters, but is {number:g}.")
        if group["nesterov"] is not False:
            fail("This SGD has plain momentum: no Nesterov.")
        rate = expect_number(group["lr"], "The rate of a group of the optimizer")
        for name in expect_list(group["names"], "The names in a group of the optimizer"):
            if type(name) is not str or name in seen:
                fail(f"The optimizer holds the parameter {name} twice.")
            seen[name] = rate
    missing = (biases | weights) - seen.keys()
    if missing or seen.keys() - biases - weights:
        fail(f"The optimizer must hold all parameters, each once; {len(missing)} are missing.")
    for names, rate in ((weights, 1e-3), (biases, 2e-3)):
        for name in sorted(names):
            if abs(seen[name] - rate) > 1e-9:
                fail(f"The rate of {name} must be {rate:g}, but is {seen[name]:g}.")


def steps_taken(student: Student, parts: Sequence[Handle], count: int) -> list[Tensor]:
    """Train a few steps; return the network's parameters and buffers after that.

    Args:
        parts: the network, its optimizer and its schedule.
    """
    what = "The parameters after some steps"
    values = expect_list(student.tool("take_steps", *parts, count), what)
    if not values:
        fail("The network lost its parameters.")
    return [expect_tensor(one, what) for one in values]


def expect_precisions(value: Any, labels: Sequence[int]) -> dict[int, float]:
    """Take a value as average precisions by label, for exactly these labels."""
    if type(value) is not dict:
        fail("`average_precisions` must return a dict.")
    if any(type(label) is not int for label in value):
        fail("The labels in `average_precisions`' result must be ints.")
    expect_equal(
        sorted(value), sorted(labels), "The set of classes", "Those that have an object count."
    )
    for label, one in value.items():
        if type(one) is not float:
            fail(f"The average precision of class {label} must be a float: `.item()` makes one.")
        if not -1e-6 <= one <= 1 + 1e-6:  # float32 rounds
            fail(f"The average precision of class {label} must lie from 0 to 1, but is {one:g}.")
    return value
