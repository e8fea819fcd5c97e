"""What of a described figure its pixels show.

A description comes from the student's process, where anything may be said; pixels show what was
drawn. So a line, an image or a box counts only where the pixels have it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

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


def what_is_seen(axes: dict[str, Any], pixels: NDArray[np.uint8]) -> dict[str, Any]:
    """Return an axes' description without what the pixels do not show.

    Args:
        axes: see the tool `describe_figure`.
        pixels: (H, W, 3) of the whole figure.
    """
    colours = pixels.astype(np.float64)
    images = [image for image in axes["images"] if is_image_seen(image, colours)]
    return axes | {
        "lines": [line for line in axes["lines"] if is_line_seen(line, colours)],
        "images": images,
        "rectangles": [
            one for one in axes["rectangles"] if not images or is_box_seen(one, images[0], colours)
        ],
    }


def is_line_seen(line: dict[str, Any], colours: Floats) -> bool:
    """Say whether a line runs through its points, and these lie as their numbers do."""
    at, values = line["at"], (line["x"], line["y"])
    if at.shape != (len(values[0]), 2) or len(values[1]) != len(at) or not np.isfinite(at).all():
        return False
    if not all(is_monotonic(one, at[:, n]) for n, one in enumerate(values)):
        return False
    if len(at) < 2:
        return True
    seen = [is_ink(place, along, colours) for place, along in samples_of(at)]
    return bool(seen) and bool(np.mean(seen) >= SHARE)


def is_monotonic(values: Floats, places: Floats) -> bool:
    """Say whether places rise with the values, or fall with them, as far as pixels can tell."""
    ordered = places[np.argsort(values, kind="stable")]
    steps = np.diff(ordered)
    equal = np.diff(np.sort(values)) == 0
    steps = steps[~equal]
    return bool((steps > -0.01).all() or (steps < 0.01).all())


def samples_of(at: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Yield places on a polyline, and the direction of the line there, of length 1."""
    steps = np.diff(at, axis=0)
    lengths = np.hypot(*steps.T)
    total = float(lengths.sum())
    for start, step, length in zip(at[:-1], steps, lengths, strict=True):
        if length > 0:
            count = max(1, round(SAMPLES * length / total))
            for n in range(count):
                yield start + (n + 0.5) / count * step, step / length


def is_ink(place: Floats, along: Floats, colours: Floats) -> bool:
    """Say whether there is something at a place that differs from both of its sides."""
    across = np.array([-along[1], along[0]])
    sides = [colour_at(place + way * SIDE * across, colours) for way in (1, -1)]
    return any(
        min(np.abs(colour_at(place + off * across, colours) - side).max() for side in sides)
        > CONTRAST
        for off in (-1, 0, 1)
    )


def colour_at(place: Floats, colours: Floats) -> Floats:
    """Return the colour at a place (x to the right, y down), or at the nearest one there is."""
    height, width = colours.shape[:2]
    x, y = np.clip(place, 0, (width - 1, height - 1)).astype(int)
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
    found = np.stack([colour_at(place, colours) for place in places])
    order = np.sort(found, axis=1)
    plain = order[:, 2] - order[:, 1] <= CONTRAST  # and not covered by a box
    if plain.mean() > 0.5 and np.ptp(wanted[plain]) > 0:
        found, wanted = found[plain], wanted[plain]
    known = np.column_stack([found, np.ones(len(found))])
    rest = wanted - known @ np.linalg.lstsq(known, wanted, rcond=None)[0]
    return bool(1 - rest.var() / wanted.var() >= EXPLAINED)


def is_box_seen(box: dict[str, Any], image: dict[str, Any], colours: Floats) -> bool:
    """Say whether a box of a strong colour has it along its sides; one of another always has."""
    order = np.argsort(box["colour"])
    channel, next_one = int(order[-1]), int(order[-2])
    if box["colour"][channel] < box["colour"][next_one] + 0.2:
        return True
    left, top, right, bottom = image["corners"]
    rows, columns = image["pixels"].shape[:2]
    x_min, y_min, x_max, y_max = box["box"]
    xs = [left + x / columns * (right - left) for x in (x_min, x_max)]
    ys = [top + y / rows * (bottom - top) for y in (y_min, y_max)]
    if not np.isfinite([*xs, *ys]).all():
        return False
    corners = np.array([(xs[a], ys[b]) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))])
    strong = np.delete(colours, channel, axis=2).max(2) + CONTRAST < colours[..., channel]
    seen = [bool(around(place, strong).any()) for place, _ in samples_of(corners)]
    return bool(seen) and bool(np.mean(seen) >= SHARE)


def around(place: Floats, values: NDArray[Any]) -> NDArray[Any]:
    """Return the part of a map that lies near a place."""
    height, width = values.shape
    x, y = np.clip(place, 0, (width - 1, height - 1)).astype(int)
    return values[max(0, y - NEAR) : y + NEAR + 1, max(0, x - NEAR) : x + NEAR + 1]
