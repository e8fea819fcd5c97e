"""Assertions that the visible and the hidden checks of week 5 share."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from detlab.checking.expect import (
    expect_floats,
    expect_handle,
    expect_list,
    fail,
)
from detlab.checking.own_work import expect_work_without
from detlab.checking.replies import FIGURE, axes_of, expect_form
from detlab.checking.student import Handle, Student
from detlab.weeks.detection import expect_priors

GRIDS = (4, 2, 1)
ZOOMS = (0.7, 1.0, 1.3)
RATIOS = ((1.0, 1.0), (1.0, 0.5), (0.5, 1.0))
PER_CELL = len(ZOOMS) * len(RATIOS)
NUM_ANCHORS = sum(grid * grid for grid in GRIDS) * PER_CELL
NUM_CLASSES = 11
FORBIDDEN = ("detlab", "sigmoid_focal_loss")
LAYER = {"name": str, "kind": str}
# What a figure's colour may be off by, of 1: edges are blended with what lies under them.
COLOUR = 0.12
# What a rectangle may be off by, in pixels of the image: float32, and what matplotlib rounds.
OFF = 0.1
# Pixels across an outline, 80 to an inch: up to five points take six at most, six points five to
# seven, eight points nine.
THICK, ACROSS = 7, 8


def expect_own_work(student: Student, name: str, **arguments: Any) -> None:
    """Check that a function does its work without the course's own."""
    expect_work_without(student, ("detlab",), name, **arguments)


def expect_single(value: Any, what: str, shape: Sequence[int]) -> Tensor:
    """Take a value as a float32 tensor of this shape."""
    value = expect_floats(value, what, shape)
    if value.dtype != torch.float32:
        fail(f"{what} must be float32, but is {value.dtype}.")
    return value


def make_module(student: Student, name: str, **arguments: Any) -> Handle:
    """Make one of the student's modules, in evaluation mode."""
    module = expect_handle(getattr(student, name)(**arguments), f"`{name}(…)`", "an nn.Module")
    student.tool("set_training", module, False)
    return module


def expect_answers(
    value: Any, what: str, count: int, rows: int, num_classes: int
) -> tuple[Tensor, Tensor]:
    """Take a value as activations and logits for so many anchors."""
    parts = expect_list(value, f"{what} (activations, logits)", 2)
    activations = expect_single(parts[0], "The activations", (count, rows, 4))
    return activations, expect_single(parts[1], "The logits", (count, rows, num_classes))


def layers_of(
    student: Student, module: Handle, arguments: list[Any], what: str, kinds: str
) -> list[dict[str, Any]]:
    """Return the layers that a module calls, in order.

    Args:
        kinds: the first letters of their kinds, in order.
    """
    told = expect_form(student.tool("layers_called", module, arguments), [LAYER], what)
    found = "".join(layer["kind"][:1] for layer in told)
    if found != kinds:
        words = {"c": "nn.Conv2d", "n": "nn.BatchNorm2d"}
        named = ", ".join(words.get(kind, kind) for kind in found) or "none"
        wanted = ", ".join(words[kind] for kind in kinds)
        fail(f"{what} must call these layers, in this order: {wanted}. It calls: {named}.")
    return told


def parts_of_head(
    student: Student, head: Handle, features: Tensor
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the layers that an `SSDHead` calls.

    Returns:
        Convolution and normalisation of its four blocks, in order; and the two convolutions of its
        output block, which answer for three maps, whenever that is.
    """
    what = "`SSDHead`"
    told = expect_form(student.tool("layers_called", head, [features]), [LAYER], what)
    blocks, ends = [], []
    for n, layer in enumerate(told):
        follows = told[n + 1]["kind"] == "normalisation" if n + 1 < len(told) else False
        (blocks if follows or layer["kind"] == "normalisation" else ends).append(layer)
    names = [layer["name"] for layer in blocks]
    if len(blocks) != 8 or [layer["kind"][:1] for layer in blocks] != ["c", "n"] * 4:
        fail(
            f"{what} needs four blocks of a convolution and a normalisation, and calls "
            f"{len(blocks) // 2}."
        )
    if len(set(names)) < len(names):
        fail(f"{what} calls a layer twice: each of its four blocks has weights of its own.")
    shared = {layer["name"]: layer for layer in ends}
    if len(ends) != 6 or len(shared) != 2:
        fail(
            f"{what} must answer for its three maps with one and the same `OutputBlock`: two "
            f"convolutions, each called three times. It calls {len(shared)}, {len(ends)} times in "
            "all."
        )
    return blocks, list(shared.values())


def check_anchors(answer: Any, cells: Tensor) -> Any:
    """Compare anchors, cell by cell; return what stands for the sides of their cells.

    Args:
        cells: (cells, anchors of a cell, 4) float64, `cxcywh`.
    """
    parts = expect_list(answer, "`make_anchors`'s result (anchors, cells)", 2)
    expect_priors(parts[0], cells, "The anchors")
    return parts[1]


def check_sides(answer: Any, sides: Tensor) -> None:
    """Compare the sides of the anchors' cells, and the form of both.

    Args:
        sides: (P,) float64.
    """
    parts = expect_list(answer, "`make_anchors`'s result (anchors, cells)", 2)
    expect_single(parts[0], "The anchors", (len(sides), 4))
    found = expect_single(parts[1], "The sides of the cells", sides.shape)
    if not torch.allclose(found.double(), sides, rtol=0, atol=1e-5):
        fail("The sides of the cells are wrong: 1/g, one for each anchor.")


def check_figure(
    student: Student,
    figure: Any,
    image: Tensor,
    detections: Mapping[str, Tensor],
    colours: Callable[[float], Sequence[float]],
) -> None:
    """Check that a figure shows an image, and each box in the colour of its own score.

    What counts is in its pixels.

    Args:
        colours: red, green and blue, from 0 to 1, of a score.
    """
    what = "`show_detections`'s result"
    told = axes_of(student, figure, what)
    pixels = expect_form(student.tool("describe_figure", figure), FIGURE, what)["pixels"]
    if len(told) != 1 or len(told[0]["images"]) != 1:
        fail("The figure must have one pair of axes that show one image.")
    shown = told[0]["images"][0]
    values, (height, width) = np.asarray(shown["pixels"], dtype=np.float64), image.shape[1:]
    if values.ndim == 3 and values.max() > 1:  # from 0 to 255
        values = values / 255
    expected = image.permute(1, 2, 0).double().numpy()
    if values.shape[:2] != (height, width) or values.ndim != 3:
        fail("The image must be shown as it is: (H, W, 3).")
    if not shown["upright"]:  # who turns it over twice shows it rightly
        values = values[::-1]
    right = np.allclose(values[..., :3], expected, atol=0.004)
    turned = not right and np.allclose(values[::-1, :, :3], expected, atol=0.004)
    if turned or not shown["whole"]:
        fail("The image must be shown whole and upright, its first row on top.")
    if not right:
        fail("The figure does not show that image: channels last, nothing else changed.")
    boxes = detections["boxes"].double().numpy()
    check_rectangles(told[0]["rectangles"], boxes * [width, height, width, height])
    left, right = sorted(shown["corners"][::2])
    top, bottom = sorted(shown["corners"][1::2])
    places = boxes * np.array([right - left, bottom - top] * 2) + np.array([left, top] * 2)
    wanted = [np.array(colours(score)[:3]) for score in detections["scores"].tolist()]
    for n, place in enumerate(places):
        share = shares_of(pixels, place, wanted)
        if share[n] < 0.5 * max(share.max(), 0.6):
            fail(
                "A box has not the colour `plt.cm.plasma(score)` of its own score where it must "
                "lie: does each score still belong to its box, and are boxes in the image's pixels?"
            )
        if thickness(pixels, place, wanted[n]) >= THICK:
            fail("The outlines of the boxes are much thicker than two points: `lw=2`.")


def check_rectangles(rectangles: Sequence[Mapping[str, Any]], boxes: Any) -> None:
    """Check that there is a rectangle for each box, where it must lie, and none is filled.

    Args:
        boxes: (N, 4) in pixels of the image.
    """
    if len(rectangles) != len(boxes):
        fail(
            f"The figure shows {len(rectangles)} boxes for {len(boxes)} detections: a `Rectangle` "
            "for each, added with `add_patch`, neither too thin nor too pale to be seen."
        )
    if any(one["filled"] for one in rectangles):
        fail("Boxes must not be filled: `fill=False`.")
    found = np.array([one["box"] for one in rectangles]).reshape(-1, 4)
    for box in boxes:
        if np.abs(found - box).max(1).min() > OFF:
            fail(
                "A box does not lie where it must, to a tenth of a pixel: the image's left edge is "
                "0, its right edge the width (`extent`), and boxes are not rounded."
            )


def check_captions(
    student: Student,
    figure: Any,
    detections: Mapping[str, Tensor],
    names: Sequence[str],
    size: tuple[int, int],
) -> None:
    """Check that name and score stand at the upper left corner of each box.

    Args:
        size: width and height of the image.
    """
    told = axes_of(student, figure, "`show_detections`'s result")
    texts = [text for axes in told for text in axes["texts"]]
    for n in range(len(detections["scores"])):
        box, score = detections["boxes"][n].tolist(), float(detections["scores"][n])
        wanted = f"{names[int(detections['labels'][n]) - 1]} {score:.2f}"
        if wanted not in [" ".join(text["text"].split()) for text in texts]:
            fail(f"At a box with the score {score:.2f} there is no text `NAME {score:.2f}`.")
        corner = np.array([box[0] * size[0], box[1] * size[1]])
        places = [text["at"] for text in texts if wanted in " ".join(text["text"].split())]
        if min(np.abs(np.array(place) - corner).max() for place in places) > 0.15 * max(size):
            fail("The text of a box must stand at its upper left corner.")


def shares_of(pixels: Any, place: Any, colours: Sequence[Any]) -> Any:
    """Return for each colour how much of a box's outline has it.

    Args:
        pixels: (H, W, 3) uint8.
        place: (x_min, y_min, x_max, y_max) in the figure's pixels.
    """
    x_min, y_min, x_max, y_max = place
    steps = np.linspace(0.1, 0.9, 24)
    xs, ys = x_min + steps * (x_max - x_min), y_min + steps * (y_max - y_min)
    points = [(x, y) for x in xs for y in (y_min, y_max)]
    points += [(x, y) for y in ys for x in (x_min, x_max)]
    height, width = pixels.shape[:2]
    seen = np.zeros(len(colours))
    for x, y in points:
        row, column = math.floor(y), math.floor(x)
        near = pixels[
            np.clip(range(row - 2, row + 3), 0, height - 1)[:, None],
            np.clip(range(column - 2, column + 3), 0, width - 1)[None],
        ]
        for k, colour in enumerate(colours):
            seen[k] += bool((np.abs(near / 255 - colour).max(-1) < COLOUR).any())
    return seen / len(points)


def thickness(pixels: Any, place: Any, colour: Any) -> float:
    """Return how many pixels across a box's outline have its colour, in most places.

    Args:
        pixels, place: see `shares_of`.
    """
    x_min, y_min, x_max, y_max = place
    # In a small figure, not as far as to another side.
    reach = int(min(ACROSS, (x_max - x_min) / 4, (y_max - y_min) / 4))
    steps, across = np.linspace(0.3, 0.7, 24)[:, None], np.arange(-reach, reach + 1)
    xs, ys = x_min + steps * (x_max - x_min), y_min + steps * (y_max - y_min)
    places = [(x + across, ys) for x in (x_min, x_max)] + [(xs, y + across) for y in (y_min, y_max)]
    height, width = pixels.shape[:2]
    counts = []
    for columns, rows in places:
        x = np.clip(np.floor(columns).astype(int), 0, width - 1)
        y = np.clip(np.floor(rows).astype(int), 0, height - 1)
        counts.append((np.abs(pixels[y, x] / 255 - colour).max(-1) < COLOUR).sum(1))
    return float(np.median(counts))
