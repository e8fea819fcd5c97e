"""Assertions that the visible and the hidden checks of week 2 share.

They look at answers that are the student's choice: a network's grid, a history, figures.
"""

import functools
import itertools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from detlab.checking.expect import (
    expect_close,
    expect_floats,
    expect_handle,
    expect_int,
    expect_ints,
    expect_keys,
    expect_list,
    expect_number,
    expect_tensor,
    fail,
)
from detlab.checking.student import Handle, Student
from detlab.grid import WindowGrid

SIDE = 64
OUTPUTS = 15
MIN_WINDOW = 36
BESIDE = 8  # pixels: further from its window no padded layer lets a cell look
MOST = 1000  # windows a row, pixels of a window: more than any image that a check shows has
TERMS = ("detection", "classification", "regression")
GRADIENTS = ("backward", "steps")


def expect_canvas(image: Any) -> Tensor:
    """Take an answer of `place_digit` as an image: (1, 64, 64) float32 in [0, 1], with ink."""
    image = expect_tensor(image, "`place_digit`'s result", (1, SIDE, SIDE))
    if image.dtype != torch.float32:
        fail(f"`place_digit`'s result must be float32, but is {image.dtype}.")
    if float(image.min()) < 0 or float(image.max()) > 1:
        fail("`place_digit`'s result leaves the range from 0 to 1.")
    if not bool((image > 0).any()):
        fail("`place_digit`'s result holds no ink.")
    return image


def ink_box(image: Tensor) -> tuple[int, int, int, int]:
    """Return the pixels (left, top, right, bottom) of an image's ink, the maxima exclusive."""
    ink = image[0] > 0
    rows, columns = ink.any(1).nonzero(), ink.any(0).nonzero()
    left, top = int(columns.min()), int(rows.min())
    return left, top, int(columns.max()) + 1, int(rows.max()) + 1


def expect_grid(value: Any) -> WindowGrid:
    """Take an answer of `localization_grid` as a grid."""
    fields = expect_list(value, "`localization_grid`'s result", 3)
    size = expect_int(fields[0], "`localization_grid`'s size")
    stride = expect_int(fields[1], "`localization_grid`'s stride")
    count = expect_ints(fields[2], "`localization_grid`'s count", 2)
    if size < 1 or stride < 1 or min(count) < 0:
        fail("The size and the stride of `localization_grid` must be positive, no count below 0.")
    if max(size, stride, *count) > MOST:
        fail(f"The grid of `localization_grid`, {fields}, is none of a small image's.")
    return WindowGrid(size, stride, count)


def make_net(student: Student) -> Handle:
    """Make a `LocalizationNet` in evaluation mode."""
    net = expect_handle(student.LocalizationNet(), "`LocalizationNet()`", "an nn.Module")
    student.tool("set_training", net, False)
    return net


def check_output_size(student: Student, net: Handle, images: Tensor) -> WindowGrid:
    """Check that a network's output on some images has the size that its grid says."""
    size = tuple(images.shape[2:])
    grid = expect_grid(student.localization_grid(input_size=size))
    expected = (len(images), OUTPUTS, *grid.count)
    expect_floats(net(images), f"The network's output on images of {size[0]}×{size[1]}", expected)
    return grid


def expect_output(value: Any, images: Tensor, what: str = "The network's output") -> Tensor:
    """Take an answer of a network: 15 floats for each cell of each image."""
    output = expect_floats(value, what)
    if output.dim() != 4 or output.shape[:2] != (len(images), OUTPUTS) or not output.numel():
        fail(
            f"{what} must have shape ({len(images)}, {OUTPUTS}, rows, columns), but has "
            f"{tuple(output.shape)}."
        )
    return output


def cause_outside(net: Handle, images: Tensor, grid: WindowGrid, cell: tuple[int, int]) -> str:
    """Say where outside its window a cell of a network looks, if it must not."""
    i, j = cell
    down, across = (
        slice(max(0, n * grid.stride - BESIDE), n * grid.stride + grid.size + BESIDE) for n in cell
    )
    far = 1 - images
    far[:, :, down, across] = images[:, :, down, across]
    before, after = (expect_output(net(x), x)[..., i, j].double() for x in (images, far))
    if torch.allclose(after, before, rtol=1e-4, atol=1e-4 * float(1 + before.abs().max())):
        return "It looks beside its window: is a layer padded, or the window larger than you say?"
    return (
        f"It looks at pixels more than {BESIDE} away from its window: does something take in the "
        "whole image, is the map turned over, or are the windows larger than you say, or elsewhere?"
    )


def check_windows_are_fair(grid: WindowGrid) -> None:
    """Check that a grid's windows hold a whole digit and are enough in number."""
    if grid.size < MIN_WINDOW:
        fail(
            f"A window of {grid.size} pixels does not hold every digit: {MIN_WINDOW} is the least."
        )
    if min(grid.count) < 3:
        fail(f"In 64×64 there must be at least 3×3 windows, but there are {grid.count}.")
    expected = tuple((SIDE - grid.size) // grid.stride + 1 for _ in range(2))
    if grid.count != expected:
        fail("The count of `localization_grid` does not follow from its size and stride.")


def check_terms(
    value: Any,
    expected: dict[str, Tensor],
    tolerance: float,
    cause_in: Callable[[str, Tensor], str] = lambda name, term: "",
) -> None:
    """Compare the three terms of a loss.

    Args:
        cause_in: says of a wrong term, by its name, what it is.
    """
    terms = expect_keys(value, TERMS, "`localization_terms`'s result")
    if len(terms) > len(TERMS):
        fail(
            "`localization_terms` must return three terms and nothing else: a training loop adds "
            "up all of them."
        )
    for name in TERMS:
        term = expect_number(terms[name], f'"{name}"')
        found = torch.tensor(term, dtype=torch.float64)
        cause = functools.partial(cause_in, name)
        expect_close(found, expected[name], f'The term "{name}"', tolerance, cause)


def check_history(value: Any, names: tuple[str, ...], steps: int) -> list[dict[str, float]]:
    """Check the form of what `train` returns: a dict of Python floats for each step."""
    history = expect_list(value, "`train`'s history", steps)
    for row in history:
        row = expect_keys(row, names, "each step of the history")
        if any(type(row[name]) is not float for name in names):
            fail("The history must hold Python floats: `.item()` lets go of the graph behind them.")
        for name in names:
            expect_number(row[name], f'"{name}" in the history')
    return history


def training_of(student: Student, record: Handle, net: nn.Module) -> dict[str, list]:
    """Return what happened to a network while it was trained (see the tool `training_record`).

    Args:
        record: made by the tool `record_training`.
        net: equal to the network when the training began.

    Returns:
        "weights": float32 parameters before each call; "backward" and "steps": float32 gradients
        of the first parameter after the last backward pass before each step of the optimizer, and
        at each step.
    """
    what, shapes = "The record of the training", [one.shape for one in net.parameters()]
    told = expect_keys(student.tool("training_record", record), ("weights", *GRADIENTS), what)
    calls = [expect_list(one, what, len(shapes)) for one in expect_list(told["weights"], what)]
    weights = [
        [expect_floats(w, what, s).float() for w, s in zip(call, shapes, strict=True)]
        for call in calls
    ]
    gradients = {
        name: [expect_floats(g, what, shapes[0]).float() for g in expect_list(told[name], what)]
        for name in GRADIENTS
    }
    return {"weights": weights, **gradients}


def check_history_figure(axes: list[dict[str, Any]], history: list[dict[str, float]]) -> None:
    """Check that a figure shows each term of a history as a curve over the steps.

    Args:
        axes: of the figure, see `detlab.checking.replies.axes_of`.
    """
    lines = [line for one in axes for line in one["lines"]]
    terms = list(history[0])
    for name in terms:
        values = np.array([row[name] for row in history])
        if not any(runs_over_steps(line, values) for line in lines):
            fail(f'No line of the figure shows all of the term "{name}" against the step.')
    shown = [one for one in axes if one["lines"]]
    named = [entry for one in shown for entry in one["legend"]]
    if len(shown) == 1 and len(named) < len(history[0]):
        fail("The axes needs a legend that names each line.")
    titled = all(one["title"] or one["legend"] for one in shown)
    if len(shown) > 1 and not titled and len(named) < len(history[0]):
        fail("Each axes needs a legend or a title that names its line.")
    if len(shown) == 1 and not names_its_lines(shown[0], history):
        fail("The legend's entries must name the lines, each its own, in the order of the lines.")
    if not all(one[label] for one in shown for label in ("xlabel", "ylabel")):
        fail("Every axis needs a label.")
    if any("loss" in one["xlabel"].lower() for one in shown):
        fail("The loss belongs on the vertical axis, the step on the horizontal one.")


def names_its_lines(axes: dict[str, Any], history: list[dict[str, float]]) -> bool:
    """Say whether an axes' legend tells its lines apart, and does not exchange the terms' names.

    Entries may be worded freely; where they hold the terms' names, each must be at its own line.
    """
    entries = axes["legend"]
    if len(set(entries)) < len(entries):
        return False
    if len(entries) != len(axes["lines"]):
        return True
    terms = list(history[0])
    for name in terms:
        values = np.array([row[name] for row in history])
        named = [entry for entry in entries if name in entry]
        places = [k for k, line in enumerate(axes["lines"]) if runs_over_steps(line, values)]
        if len(named) == 1 and entries.index(named[0]) not in places:
            return False
    return True


def runs_over_steps(line: dict[str, Any], values: np.ndarray) -> bool:
    """Say whether a line has these heights, at places one step apart."""
    if line["y"].shape != values.shape or line["x"].shape != values.shape:
        return False
    return np.allclose(np.diff(line["x"]), 1) and np.allclose(line["y"], values, rtol=1e-4)


def check_predictions_figure(
    axes: list[dict[str, Any]],
    images: Tensor,
    true_boxes: Tensor,
    true_labels: Tensor,
    boxes: Tensor,
    labels: Tensor,
) -> None:
    """Check a figure of 30 images with their true boxes in green and predicted ones in red.

    Args:
        axes: of the figure, see `detlab.checking.replies.axes_of`.
    """
    by_place = {tuple(one["place"]): one for one in axes if one["images"] and one["place"]}
    if set(by_place) != {(row, column) for row in range(6) for column in range(5)}:
        fail("The figure must have 6 rows and 5 columns of axes, each with an image.")
    if not all(image["whole"] for one in axes for image in one["images"]):
        fail("Every image must be shown whole.")
    for n in range(30):
        one, where = by_place[n // 5, n % 5], f"image {n} (row {n // 5}, column {n % 5})"
        shown, image = one["images"][0], images[n, 0].to(torch.float64)
        pixels = torch.as_tensor(shown["pixels"]).squeeze()
        if pixels.dim() == 3:  # in colours
            pixels = pixels[..., :3].mean(-1)
        if float(pixels.max()) > 1:  # greys from 0 to 255, such as a PIL image's
            pixels = pixels / 255
        if not shown["upright"]:  # who turned it over before shows it as it is
            pixels = pixels.flip(0)
        # Half a step of 255 greys, and a little.
        if pixels.shape != image.shape or not torch.allclose(pixels, image, atol=0.004):
            turned = pixels.shape == image.shape and torch.allclose(pixels.flip(0), image)
            cause = " It stands upside down: its first row must be on top." * turned
            fail(f"The axes at {where} does not show that image.{cause}")
        for colour, channel, box in (("green", 1, true_boxes[n]), ("red", 0, boxes[n])):
            expect_box(one["rectangles"], colour, channel, box, images.shape[2:], where)
        # Other numbers, such as a score or the image's own, may stand around them.
        numbers = re.findall(r"\d+", one["title"])
        wanted = (str(int(true_labels[n])), str(int(labels[n])))
        if wanted not in itertools.pairwise(numbers):
            fail(
                f"The title of {where} must hold the true label and then the predicted one.",
                f"The title is {one['title']!r}.",
            )


def expect_box(
    rectangles: list[dict[str, Any]],
    colour: str,
    channel: int,
    box: Tensor,
    size: tuple[int, int],
    where: str,
) -> None:
    """Check that exactly one unfilled rectangle of a colour lies where a box does."""
    found = [one for one in rectangles if strongest(one["colour"]) == channel]
    if len(found) != 1 or found[0]["filled"]:
        fail(f"At {where} there must be one {colour} rectangle, unfilled.")
    height, width = size
    pixels = box.to(torch.float64) * torch.tensor([width, height, width, height])
    # imshow puts the image's edge at -0.5: who draws as if it were 0 is half a pixel too far to the
    # right, who takes away a whole one half a pixel too far to the left. Both are near enough.
    off = (torch.tensor(found[0]["box"], dtype=torch.float64) - pixels).abs()
    if not float(off.max()) <= 0.55:
        fail(
            f"The {colour} rectangle at {where} is not where the box is: corners in pixels, "
            "x to the right and y down, then width and height."
        )


def strongest(colour: tuple[float, float, float]) -> int | None:
    """Return the channel that dominates a colour: 0 red, 1 green, 2 blue; None for greys."""
    order = np.argsort(colour)
    return int(order[-1]) if colour[order[-1]] > colour[order[-2]] + 0.2 else None
