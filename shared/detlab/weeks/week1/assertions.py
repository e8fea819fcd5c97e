"""Assertions that the visible and the hidden checks of week 1 share.

They look at answers that are the student's choice: image sizes, timings, a plot. The
seconds themselves are never judged.
"""

import math
import re
from typing import Any

import numpy as np

from detlab.checking.expect import (
    expect_equal,
    expect_ints,
    expect_keys,
    expect_list,
    expect_number,
    fail,
)
from detlab.checking.replies import Calls

WINDOW, STRIDE = 14, 2
# Words by which a line's label names its procedure.
SLOW, FAST = re.compile("sequen|slid|window|loop"), re.compile("conv|twin")
KEYS = ("side", "sequential_s", "convolutional_s", "ratio")


def check_sizes(sizes: Any) -> None:
    """Check `my_sizes`: three sizes or more, some odd, some not square, all of fair size."""
    pairs = [
        expect_ints(size, "each size of `my_sizes`", 2) for size in expect_list(sizes, "`my_sizes`")
    ]
    if len(pairs) < 3 or not all(WINDOW <= side <= 100 for pair in pairs for side in pair):
        fail("`my_sizes` must hold at least three sizes with sides from 14 to 100.")
    if not any(side % 2 for pair in pairs for side in pair):
        fail("No side in `my_sizes` is odd.")
    if all(height == width for height, width in pairs):
        fail("All images of `my_sizes` are square.")


def check_rows(rows: Any, sides: list[int], net_calls: Calls, twin_calls: Calls) -> None:
    """Check the rows of `time_both` against the calls that both networks saw.

    Args:
        rows: the student's answer.
        sides: sides that were asked for, pixels.
        net_calls: (input shape, gradients on) of each call of the classifier.
        twin_calls: the same of its twin.
    """
    for side, row in zip(sides, expect_list(rows, "`time_both`'s result", len(sides)), strict=True):
        row = expect_keys(row, KEYS, "each row of `time_both`")
        expect_equal(int(expect_number(row["side"], '"side"')), side, '"side" in a row')
        seconds = [expect_number(row[key], f'"{key}"') for key in KEYS[1:3]]
        if min(seconds) <= 0:
            fail("The seconds must be positive.")
        ratio = expect_number(row["ratio"], '"ratio"')
        if not math.isclose(ratio, seconds[0] / seconds[1], rel_tol=1e-3):
            inverse = math.isclose(ratio, seconds[1] / seconds[0], rel_tol=1e-3)
            fail('"ratio" is not sequential_s / convolutional_s.' + " It is upside down." * inverse)
    if not all(shape for shape, _ in net_calls + twin_calls):
        fail("The networks were not called with images.")
    windows = sum(shape[0] for shape, _ in net_calls if len(shape) == 4)
    asked = sum(((side - WINDOW) // STRIDE + 1) ** 2 for side in sides)
    if windows < asked:
        fail(
            "The sequential procedure did not run `net` on every window of every side.",
            f"`net` saw {windows} windows; the sides {sides} have {asked}.",
        )
    seen = {shape[-1] for shape, _ in twin_calls}
    if not seen.issuperset(sides):
        fail("`twin` did not run on an image of every side.", f"It ran on sides {sorted(seen)}.")
    if any(gradients for _, gradients in net_calls + twin_calls):
        fail("The procedures must run without gradients: under `torch.no_grad()`.")


def check_times_figure(axes: list[dict[str, Any]], rows: list[dict[str, float]]) -> None:
    """Check what the figure of `plot_times` shows, whatever its units and scales.

    Args:
        axes: of the figure, see `detlab.checking.replies.axes_of`.
        rows: what was to be plotted.
    """
    values = {key: np.array([row[key] for row in rows], dtype=float) for key in KEYS}
    left = next((one for one in axes if shows_times(one["lines"], values)), None)
    if left is None:
        fail("No axes shows both times against the side as two lines.")
    if len(left["legend"]) < 2:
        fail("The axes with the times needs a legend that names both lines.")
    right = next(
        (one for one in axes if one is not left and shows_ratio(one["lines"], values)), None
    )
    if right is None:
        fail("No second axes shows the ratio (sequential / convolutional) against the side.")
    if not all(one[label] for one in (left, right) for label in ("xlabel", "ylabel")):
        fail("Every axis needs a label.")
    if middle_of(left) > middle_of(right):
        fail("The plots are exchanged: the times belong on the left, the ratio on the right.")
    for key, own, other in (("sequential_s", SLOW, FAST), ("convolutional_s", FAST, SLOW)):
        for line in left["lines"]:
            label = line["label"].lower()
            named = other.search(label) and not own.search(label)
            if named and proportional(line["y"], values[key]):
                fail(f"The legend is exchanged: the line of `{key}` is called {label!r}.")


def middle_of(axes: dict[str, Any]) -> float:
    """Return where an axes' lines lie, in pixels from the figure's left."""
    return float(np.mean([line["at"][:, 0].mean() for line in axes["lines"]]))


def proportional(line: np.ndarray, values: np.ndarray) -> float:
    """Return the factor between a line and the values, or 0 when they do not match."""
    if line.shape != values.shape or not np.isfinite(line).all():
        return 0.0
    factor = float(line[0] / values[0])
    return factor if np.allclose(line, factor * values, rtol=1e-4) else 0.0


def lines_over(lines: list[dict[str, Any]], sides: np.ndarray) -> list[np.ndarray]:
    """Return the heights of those lines that run over the sides."""
    over = [line for line in lines if line["x"].shape == sides.shape]
    return [line["y"] for line in over if np.allclose(line["x"], sides)]


def shows_times(lines: list[dict[str, Any]], values: dict[str, np.ndarray]) -> bool:
    """Say whether two lines show both times in one unit."""
    heights = lines_over(lines, values["side"])
    units = [{proportional(y, values[key]) for y in heights} - {0.0} for key in KEYS[1:3]]
    return any(math.isclose(a, b, rel_tol=1e-3) for a in units[0] for b in units[1])


def shows_ratio(lines: list[dict[str, Any]], values: dict[str, np.ndarray]) -> bool:
    """Say whether a line shows the ratio itself."""
    heights = lines_over(lines, values["side"])
    return any(math.isclose(proportional(y, values["ratio"]), 1, rel_tol=1e-3) for y in heights)
