"""What of a described figure its pixels show.

A description comes from the student's process, where anything may be said; pixels show what was
drawn. So a line, an image or a box counts only where the pixels have it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Of 255: by so much must a line differ from both of its sides, and a box's colour stand out.
CONTRAST = 25
SIDE = 7  # pixels from a line to where its sides are looked at; a thick line has five
# Dots of a dotted line take a third of it; another line may lie on some of it, and so may a box.
SHARE = 0.3
# An image's values are as good as a linear function of its colours, in every usual colour map: they
# explain nine tenths and more of their variance, or a half where thick boxes lie on a tiny image.
# Those of another image, or of none, explain a hundredth.
EXPLAINED = 0.3
SAMPLES = 200
NEAR = 4  # pixels by which a box may be off: half a pixel of a small image, enlarged


def what_is_seen(several: list[dict[str, Any]], pixels: NDArray[np.uint8]) -> list[dict[str, Any]]:
    """Return descriptions of a figure's axes without what the pixels do not show.

    Args:
        several: see the tool `describe_figure`.
        pixels: (H, W, 3) of the whole figure.
    """
    colours = pixels.astype(np.float64)
    # A look at all pixels: once for all boxes.
    strong = functools.cache(functools.partial(where_strong, colours))
    return [what_is_seen_of(axes, colours, strong) for axes in several]


def what_is_seen_of(
    axes: dict[str, Any], colours: Floats, strong: Callable[[int], Ints]
) -> dict[str, Any]:
    """Return the description of one axes without what the pixels do not show."""
    images = [image for image in axes["images"] if is_image_seen(image, colours)]
    return axes | {
        "lines": [line for line in axes["lines"] if is_line_seen(line, colours)],
        "images": images,
        "rectangles": [
            one for one in axes["rectangles"] if not images or is_box_seen(one, images[0], strong)
        ],
    }


def where_strong(colours: Floats, channel: int) -> Ints:
    """Count where one of three channels stands out from both others.

    Returns:
        (H + 1, W + 1): of each place, how many such pixels lie above it and to the left.
    """
    first, second = (colours[..., n] for n in range(3) if n != channel)
    strong = np.maximum(first, second) + CONTRAST < colours[..., channel]
    counts: Ints = np.pad(strong, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    return counts


def is_line_seen(line: dict[str, Any], colours: Floats) -> bool:
    """Say whether a line runs through its points, and these lie as their numbers do."""
    at, values = line["at"], (line["x"], line["y"])
    if at.shape != (len(values[0]), 2) or len(values[1]) != len(at) or not np.isfinite(at).all():
        return False
    if not all(is_monotonic(one, at[:, n]) for n, one in enumerate(values)):
        return False
    if len(at) < 2:
        return True
    places, along = samples_of(joined(at, line["style"]))
    return len(places) > 0 and bool(are_ink(places, along, colours).mean() >= SHARE)


def joined(at: Floats, style: str) -> Floats:
    """Return the corners of a line through points (N, 2), which steps may join: see `Line2D`."""
    x, y = at.T
    if style in ("steps", "steps-pre"):  # down or up first, then across
        x, y = np.repeat(x, 2)[:-1], np.repeat(y, 2)[1:]
    elif style == "steps-post":
        x, y = np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]
    elif style == "steps-mid":
        middle = np.repeat((x[:-1] + x[1:]) / 2, 2)
        x, y = np.concatenate([x[:1], middle, x[-1:]]), np.repeat(y, 2)
    return np.stack([x, y], axis=1)


def is_monotonic(values: Floats, places: Floats) -> bool:
    """Say whether places rise with the values, or fall with them, as far as pixels can tell."""
    ordered = places[np.argsort(values, kind="stable")]
    steps = np.diff(ordered)
    equal = np.diff(np.sort(values)) == 0
    steps = steps[~equal]
    return bool((steps > -0.01).all() or (steps < 0.01).all())


def samples_of(at: Floats) -> tuple[Floats, Floats]:
    """Return (S, 2) places on a polyline, and the directions of the line there, of length 1."""
    steps = np.diff(at, axis=0)
    lengths = np.hypot(*steps.T)
    total = float(lengths.sum())
    places, along = [np.empty((0, 2))], [np.empty((0, 2))]
    for start, step, length in zip(at[:-1], steps, lengths, strict=True):
        if length > 0:
            count = max(1, round(SAMPLES * length / total))
            places.append(start + (np.arange(count)[:, None] + 0.5) / count * step)
            along.append(np.broadcast_to(step / length, (count, 2)))
    return np.concatenate(places), np.concatenate(along)


def are_ink(places: Floats, along: Floats, colours: Floats) -> NDArray[np.bool_]:
    """Say of each place whether there is something that differs from both of its sides."""
    across = np.stack([-along[:, 1], along[:, 0]], 1)
    sides = [colours_at(places + way * SIDE * across, colours) for way in (1, -1)]
    found = np.zeros(len(places), dtype=bool)
    for off in (-1, 0, 1):
        here = colours_at(places + off * across, colours)
        first, second = (np.abs(here - side).max(1) for side in sides)
        found |= np.minimum(first, second) > CONTRAST
    return found


def colours_at(places: Floats, colours: Floats) -> Floats:
    """Return the colours at (S, 2) places (x to the right, y down), or at the nearest there are."""
    height, width = colours.shape[:2]
    x, y = np.clip(places, 0, (width - 1, height - 1)).astype(int).T
    result: Floats = colours[y, x]
    return result


def is_image_seen(image: dict[str, Any], colours: Floats) -> bool:
    """Say whether an image's values can be told from the colours at its place."""
    values = image["pixels"] if image["pixels"].ndim == 2 else image["pixels"][..., :3].mean(-1)
    left, top, right, bottom = image["corners"]
    rows, columns = values.shape
    # Without its edges, which the limits of the axes may cut.
    sides = [np.linspace(min(1, n - 1), max(0, n - 2), min(n, 24)) for n in (rows, columns)]
    sides = [side.round().astype(int) for side in sides]
    y, x = (one.ravel() for one in np.meshgrid(*sides, indexing="ij"))
    wanted = values[y, x]
    if not np.isfinite(wanted).all() or not np.isfinite([left, top, right, bottom]).all():
        return False
    if np.ptp(wanted) == 0:
        return True
    places = np.stack(
        [left + (x + 0.5) / columns * (right - left), top + (y + 0.5) / rows * (bottom - top)], 1
    )
    found = colours_at(places, colours)
    order = np.sort(found, axis=1)
    plain = order[:, 2] - order[:, 1] <= CONTRAST  # and not covered by a box
    if plain.mean() > 0.5 and np.ptp(wanted[plain]) > 0:
        found, wanted = found[plain], wanted[plain]
    known = np.column_stack([found, np.ones(len(found))])
    rest = wanted - known @ np.linalg.lstsq(known, wanted, rcond=None)[0]
    return bool(1 - rest.var() / wanted.var() >= EXPLAINED)


def is_box_seen(box: dict[str, Any], image: dict[str, Any], strong: Callable[[int], Ints]) -> bool:
    """Say whether a box of a strong colour has it along its sides; one of another always has.

    Args:
        strong: counts where a channel stands out in the figure.
    """
    order = np.argsort(box["colour"])
    channel, next_one = int(order[-1]), int(order[-2])
    if box["colour"][channel] < box["colour"][next_one] + 0.2:
        return True
    left, _, right, _ = image["corners"]
    top, bottom = sorted(image["corners"][1::2])  # rows of a box count from the edge on top
    rows, columns = image["pixels"].shape[:2]
    x_min, y_min, x_max, y_max = box["box"]
    xs = [left + x / columns * (right - left) for x in (x_min, x_max)]
    ys = [top + y / rows * (bottom - top) for y in (y_min, y_max)]
    if not np.isfinite([*xs, *ys]).all():
        return False
    corners = np.array([(xs[a], ys[b]) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))])
    places, _ = samples_of(corners)
    return len(places) > 0 and bool((count_near(places, strong(channel)) > 0).mean() >= SHARE)


def count_near(places: Floats, counts: Ints) -> Ints:
    """Count the pixels near each place.

    Args:
        counts: see `where_strong`.
    """
    height, width = counts.shape[0] - 1, counts.shape[1] - 1
    x, y = np.clip(places, 0, (width - 1, height - 1)).astype(int).T
    left, right = np.maximum(0, x - NEAR), np.minimum(width, x + NEAR + 1)
    top, bottom = np.maximum(0, y - NEAR), np.minimum(height, y + NEAR + 1)
    near: Ints = (
        counts[bottom, right] - counts[top, right] - counts[bottom, left] + counts[top, left]
    )
    return near
