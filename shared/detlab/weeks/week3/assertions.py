"""Assertions that the visible and the hidden checks of week 3 share."""

from typing import Any

import torch
from torch import Tensor

from detlab.checking.expect import (
    expect_close,
    expect_handle,
    expect_keys,
    expect_list,
    expect_number,
    expect_tensor,
    fail,
)
from detlab.checking.own_work import expect_work_without
from detlab.checking.student import Handle, Student
from detlab.checking.wording import number
from detlab.weeks.detection import TERMS, expect_floats, expect_indices

SIDE = 32
NUM_CLASSES = 11
FEATURE_SIZES = (16, 8, 4)
SCALES = (0.25, 0.4, 0.55)
RATIOS = (1.0, 2 / 3, 1 / 3)
NUM_PRIORS = sum(size * size for size in FEATURE_SIZES) * (len(RATIOS) + 1)
FORBIDDEN = ("torchvision", "detlab")

Scene = tuple[Tensor, Tensor, Tensor]


def expect_own_work(student: Student, name: str, **arguments: Any) -> None:
    """Check that a function does its work without the libraries that do it ready-made."""
    expect_work_without(student, FORBIDDEN, name, **arguments)


def expect_scene(answer: Any) -> Scene:
    """Take an answer of `make_scene`: image, boxes and labels that fit together."""
    image, boxes, labels = expect_list(answer, "`make_scene`'s result (image, boxes, labels)", 3)
    image = expect_tensor(image, "The scene", (1, SIDE, SIDE))
    if image.dtype != torch.float32:
        fail(f"The scene must be float32, but is {image.dtype}.")
    # Weights of an interpolation add up to 1 but for a rounding.
    if float(image.min()) < -1e-5 or float(image.max()) > 1 + 1e-5:
        fail("The scene leaves the range from 0 to 1.")
    labels = expect_tensor(labels, "The labels of a scene")
    if labels.dim() != 1:
        fail(f"The labels of a scene must have shape (n,), but have {tuple(labels.shape)}.")
    count = len(labels)
    labels = expect_indices(labels, "The labels of a scene", (count,))
    boxes = expect_tensor(boxes, f"The boxes of a scene with {count} labels", (count, 4))
    if boxes.dtype != torch.float32:
        fail(f"The boxes of a scene must be float32, but are {boxes.dtype}.")
    if count > 4:
        fail(f"A scene has at most 4 digits, but this one has {count}.")
    if count and (int(labels.min()) < 1 or int(labels.max()) > NUM_CLASSES - 1):
        fail("The labels must be from 1 to 10, the digit plus 1: 0 is the background.")
    return image, boxes, labels


def pixels_of(boxes: Tensor) -> list[tuple[int, int, int, int]]:
    """Return a scene's boxes in whole pixels: (left, top, right, bottom), the last two exclusive.

    Raises:
        CheckFailure: a box lies on no whole pixels of the image.
    """
    pixels = SIDE * boxes.double()
    whole = pixels.round()
    if len(boxes) and float((pixels - whole).abs().max()) > 1e-3:
        fail("The boxes of a scene must lie on whole pixels: multiples of 1/32.")
    for left, top, right, bottom in whole.long().tolist():
        if not (0 <= left < right <= SIDE and 0 <= top < bottom <= SIDE):
            fail("A box of a scene is empty or sticks out of the image: `xyxy`, in fractions.")
    return [tuple(box) for box in whole.long().tolist()]


def expect_tight_boxes(image: Tensor, boxes: Tensor) -> None:
    """Check that each box touches ink with all its sides, and that no ink is outside of boxes."""
    ink, covered = image[0] > 0, torch.zeros(SIDE, SIDE, dtype=torch.bool)
    for left, top, right, bottom in pixels_of(boxes):
        inside = ink[top:bottom, left:right]
        if not bool(inside[[0, -1]].any(1).all() and inside[:, [0, -1]].any(0).all()):
            fail("A box is larger than its digit's ink: each side must touch it. Is it `xyxy`?")
        covered[top:bottom, left:right] = True
    outside = ink & ~covered
    if bool(outside.any()):
        fail(f"There is ink outside of all boxes of a scene. {cause_outside(ink, boxes)}".rstrip())


def cause_outside(ink: Tensor, boxes: Tensor) -> str:
    """Say why ink lies outside of boxes, if it is plain."""
    ways = {
        "It would be inside if x and y were exchanged.": lambda a, b, c, d: (b, a, d, c),
        "It would be inside if boxes ended a pixel later: x_max and y_max lie behind the last "
        "pixel.": lambda a, b, c, d: (a, b, c + 1, d + 1),
        "It would be inside if the last two numbers were width and height.": (
            lambda a, b, c, d: (a, b, a + c, b + d)
        ),
    }
    for words, way in ways.items():
        covered = torch.zeros(SIDE, SIDE, dtype=torch.bool)
        for box in pixels_of(boxes):
            left, top, right, bottom = way(*box)
            covered[top:bottom, left:right] = True
        if not bool((ink & ~covered).any()):
            return words
    return ""


def check_dataset(student: Student, scenes: list[Scene], dataset: Handle) -> None:
    """Check the items of a data set: standardised images, the boxes and labels as given."""
    length = expect_handle(dataset.get("__len__"), "`__len__`", "a method")()
    if type(length) is not int or length != len(scenes):
        fail(f"The data set has {len(scenes)} scenes, but its length is {length}.")
    item = expect_handle(dataset.get("__getitem__"), "`__getitem__`", "a method")
    for n, (image, boxes, labels) in enumerate(scenes):
        for _ in range(2):  # the second time it is still the same
            answer = expect_list(item(n), "An item of the data set (image, boxes, labels)", 3)
            check_standardised(answer[0], image, "The image of an item of the data set")
        shapes = [tuple(one.shape) if isinstance(one, Tensor) else None for one in answer[1:]]
        if boxes.shape != labels.shape and shapes == [tuple(labels.shape), tuple(boxes.shape)]:
            fail("An item of the data set holds labels where boxes belong: image, boxes, labels.")
        expect_close(answer[1], boxes, "The boxes of an item of the data set")
        expect_close(answer[2], labels, "The labels of an item of the data set")
        expect_indices(answer[2], "The labels of an item of the data set", labels.shape)


def check_standardised(answer: Any, image: Tensor, what: str) -> None:
    """Compare a standardised image, divided by either standard deviation."""
    answer = expect_floats(answer, what, image.shape)
    centred = image.double() - image.double().mean()
    if not bool((image != image.flatten()[0]).any()):
        cause = "All its pixels are equal, so it becomes all zeros."
        expect_close(answer, torch.zeros_like(image), what, 1e-4, cause)
        return
    squares = centred.square().sum()
    candidates = [centred / (squares / (image.numel() - less)).sqrt() for less in (0, 1)]
    # A small number added to the deviation or to the variance changes it by less than this.
    if any(float((answer - one).abs().max()) < 2e-3 for one in candidates):
        return
    if abs(float(answer.mean())) > 1e-3:
        mean = number(float(answer.mean()), 3)
        fail(f"{what} has mean {mean}, not 0: take each image's own mean away.")
    spread = f"has standard deviation {number(float(answer.double().std(correction=0)), 3)}, not 1"
    fail(f"{what} {spread}: divide by each image's own standard deviation and nothing else.")


def make_ssd(student: Student, num_classes: int = NUM_CLASSES) -> Handle:
    """Make an `SSD` in evaluation mode."""
    net = expect_handle(student.SSD(num_classes=num_classes), "`SSD(…)`", "an nn.Module")
    student.tool("set_training", net, False)
    net(torch.zeros(1, 1, SIDE, SIDE))  # layers that wait for their input's size get it
    return net


def expect_outputs(answer: Any, count: int, num_classes: int) -> tuple[Tensor, Tensor, list]:
    """Take what an `SSD` answers: offsets, logits and the three feature maps."""
    parts = expect_list(answer, "The network's result (offsets, logits, features)", 3)
    offsets = expect_floats(parts[0], "The offsets", (count, NUM_PRIORS, 4))
    logits = expect_floats(parts[1], "The logits", (count, NUM_PRIORS, num_classes))
    for what, value in (("offsets", offsets), ("logits", logits)):
        if value.dtype != torch.float32:
            fail(f"The {what} must be float32, but are {value.dtype}.")
    features = expect_list(parts[2], "The feature maps", len(FEATURE_SIZES))
    for size, one in zip(FEATURE_SIZES, features, strict=True):
        expect_map(one, count, size)
    return offsets, logits, features


def expect_map(value: Any, count: int, size: int) -> Tensor:
    """Take a value as a feature map of so many cells."""
    value = expect_tensor(value, f"The feature map of {size}×{size} cells")
    if value.dim() != 4 or (value.shape[0], *value.shape[2:]) != (count, size, size):
        fail(
            f"The feature map must have shape ({count}, channels, {size}, {size}), but has "
            f"{tuple(value.shape)}."
        )
    return value


def check_loop_history(value: Any, steps: int) -> list[dict[str, float]]:
    """Check the form of a history: a dict of Python floats for each step."""
    history = expect_list(value, "`train`'s history", steps)
    for row in history:
        row = expect_keys(row, TERMS, "each step of the history")
        if any(type(row[name]) is not float for name in TERMS):
            fail("The history must hold Python floats: `.item()` lets go of the graph behind them.")
        for name in TERMS:
            expect_number(row[name], f'"{name}" in the history')
    return history
