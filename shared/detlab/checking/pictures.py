"""Pictures of a failing case, as inline SVG: boxes, and small maps such as an image's window.

Whatever a colour says, a form says as well: lines are solid or dashed, wrong cells have a cross. A
table with the numbers stands beside each picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

import torch
from torch import Tensor

from detlab.checking.case import Call, Case
from detlab.checking.tables import AMBER, marked_up, place_of

# Takes the function that was called, what some numbers are, and (N, 4) of these; returns corners
# (x_min, y_min, x_max, y_max) where they are boxes, and None where they are not.
Corners = Callable[[str, str, Tensor], Tensor | None]

BLUE = "#2f7fd6"  # on white and on near-black about 4:1, as amber
BOXES = 12  # of one kind in a picture
LABELLED = 6  # so many boxes can be told apart by numbers
CELLS = range(3, 17)  # along a side of a map that is drawn cell by cell
SIDE = 240  # pixels of a picture
CELL = 20  # pixels of a map's cell: its shade is to be seen around a cross


@dataclass(frozen=True)
class Boxes:
    """Some boxes of a picture.

    Attributes:
        name: what they are, for the legend.
        corners: (N, 4) float64, x_min, y_min, x_max, y_max.
        line: of their sides, in words.
        dash: the same, for SVG.
        width: of the line, pixels.
        colour: of the line.
        numbers: of each, as the table has them; none where they are not told apart.
        mark: stands behind each number.
    """

    name: str
    corners: Tensor
    line: str
    dash: str
    width: float = 2
    colour: str = "currentColor"
    numbers: Sequence[int] = ()
    mark: str = ""

    @property
    def legend(self) -> str:
        """What the picture's legend says of them."""
        marked = f" (numbers with {self.mark})" if self.numbers and self.mark else ""
        return f"{self.line}: {self.name}{marked}"


def of_case(case: Case | None, call: Call | None, corners: Corners) -> str:
    """Draw a failing case, if it has boxes or a map; else return the empty string.

    Args:
        case: what was expected and what came, if that is known.
        call: the call that was made, if one was.
        corners: says which numbers are boxes.
    """
    compared = boxes_compared(case, call.name if call else "", corners) if case else []
    boxes = boxes_given(call, corners, alone=not compared) if call else []
    if compared:  # what is expected may be what was given, in another form
        boxes = [one for one in boxes if not same_boxes(one, compared[0])] + compared
    maps = maps_drawn(case) if case and not compared and is_map(case) else ""
    return (boxes_drawn(boxes) if boxes else "") + maps


def boxes_given(call: Call, corners: Corners, alone: bool) -> list[Boxes]:
    """Return the boxes among a call's arguments: two kinds at most, and none of very many.

    Args:
        alone: whether the picture has no others, so that these are numbered.
    """
    lines = [("dotted", "0.1 4.5", 3.0, ""), ("dash and dot", "9 3 1 3", 1.2, "*")]
    found: list[Boxes] = []
    for name, value in call.arguments:
        if not isinstance(value, Tensor) or value.dim() != 2 or len(value) > BOXES or not lines:
            continue
        boxes = corners_of(corners, call.name, name, value)
        if boxes is not None:
            line, dash, width, mark = lines.pop(0)
            numbers = range(len(boxes)) if alone and len(boxes) <= LABELLED else ()
            name = f"`{name}`, as given"
            found.append(Boxes(name, boxes, line, dash, width, numbers=numbers, mark=mark))
    return found


def boxes_compared(case: Case, function: str, corners: Corners) -> list[Boxes]:
    """Return the boxes of a case: all of a few, of many some that are wrong."""
    right, came = (corners_of(corners, function, case.what, x) for x in (case.expected, case.got))
    if right is None or came is None:
        return []
    chosen = list(range(len(right)))
    if len(right) > LABELLED:
        wrong = case.wrong.reshape(-1, 4).any(1).nonzero().flatten()
        chosen = [int(row) for row in wrong[:BOXES]]
    some = "" if len(chosen) == len(right) else f", {len(chosen)} that differ of {len(right)}"
    numbers = chosen if len(chosen) <= LABELLED else ()
    return [
        Boxes(f"expected{some}", right[chosen], "solid", "none", 2, BLUE, numbers),
        Boxes("got", came[chosen], "dashed", "7 4", 2, AMBER, numbers, mark="*"),
    ]


def same_boxes(one: Boxes, other: Boxes) -> bool:
    """Say whether two kinds of boxes lie in the same places."""
    return one.corners.shape == other.corners.shape and torch.allclose(one.corners, other.corners)


def corners_of(corners: Corners, function: str, name: str, values: Tensor) -> Tensor | None:
    """Return the corners of what may be boxes, (N, 4) float64 and finite; None if it is none."""
    if not values.dim() or values.shape[-1] != 4 or not values.numel() or values.is_complex():
        return None
    found = corners(function, name, values.detach().double().reshape(-1, 4))
    return found if found is not None and bool(torch.isfinite(found).all()) else None


def boxes_drawn(several: Sequence[Boxes]) -> str:
    """Draw boxes into one picture, y downwards, with a legend in words."""
    low, high, has_unit, is_cut = frame_of(several)
    scale = SIDE / float((high - low).max())
    width, height = ((high - low) * scale).tolist()
    shapes = []
    if has_unit:
        unit = ((torch.tensor([0.0, 0.0, 1.0, 1.0]).double() - low.repeat(2)) * scale).tolist()
        shapes.append(rectangle(unit, 'stroke="currentColor" opacity="0.5"'))
    for boxes in several:
        shapes += drawn(boxes, (boxes.corners - low.repeat(2)) * scale)
    legend = [boxes.legend for boxes in several]
    legend += ["thin square: from 0 to 1"] * has_unit
    words = f"{'; '.join(legend)}."
    words = words[0].upper() + words[1:] + " What lies farther off is cut." * is_cut
    svg = drawing("".join(shapes), f"Boxes. {words}".replace("`", ""), width, height)
    return f'{svg}<div style="margin:.1em 0 .4em">{marked_up(words)}</div>'


def frame_of(several: Sequence[Boxes]) -> tuple[Tensor, Tensor, bool, bool]:
    """Return what a picture shows: its first and last corner, whether that is about the square
    from 0 to 1, and whether boxes are cut.
    """
    # An answer may lie far off: it must not make a dot of all else.
    sure = [boxes for boxes in several if boxes.name != "got"]
    low, high = edges_of(sure)
    has_unit = bool((low > -0.5).all() and (high < 1.5).all())
    if has_unit:
        low, high = low.clamp(max=0), high.clamp(min=1)
    size = float((high - low).max()) or 1.0
    all_low, all_high = edges_of(several)
    margin = 0.06 * size
    low = torch.maximum(all_low, low - size / 2).minimum(low) - margin
    high = torch.minimum(all_high, high + size / 2).maximum(high) + margin
    is_cut = bool((all_low < low).any() or (all_high > high).any())
    return low, high, has_unit, is_cut


def edges_of(several: Sequence[Boxes]) -> tuple[Tensor, Tensor]:
    """Return the least and the greatest x and y of boxes."""
    points = torch.cat([boxes.corners.reshape(-1, 2) for boxes in several])
    return points.min(0).values, points.max(0).values


def drawn(boxes: Boxes, pixels: Tensor) -> Iterator[str]:
    """Yield the shapes of some boxes.

    Args:
        pixels: (N, 4), their corners in the picture.
    """
    style = (
        f'stroke="{boxes.colour}" stroke-width="{boxes.width:g}" stroke-dasharray="{boxes.dash}" '
        'stroke-linecap="round"'
    )
    for corners in pixels.tolist():
        yield rectangle(corners, style)
    for number, corners in zip(boxes.numbers, pixels.tolist(), strict=bool(boxes.numbers)):
        # At the top for one kind, at the bottom for the other: both may be the same boxes.
        x, y = (
            (corners[2] - 14, corners[3] - 4) if boxes.mark else (corners[0] + 4, corners[1] + 12)
        )
        yield f'<text x="{x:.1f}" y="{y:.1f}" font-size="11" fill="currentColor">{number}'
        yield f"{boxes.mark}</text>"


def rectangle(corners: Sequence[float], style: str) -> str:
    """Draw a box, whose corners may be the wrong way round."""
    (left, right), (top, bottom) = sorted(corners[::2]), sorted(corners[1::2])
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
        f'height="{bottom - top:.1f}" fill="none" {style}/>'
    )


def drawing(shapes: str, words: str, width: float, height: float) -> str:
    """Return an SVG with words for those who cannot see it."""
    return (
        f'<svg role="img" aria-label="{escape(words)}" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" '
        'style="display:block;max-width:100%;height:auto;margin:.3em 0 0;overflow:hidden">'
        f"{shapes}</svg>"
    )


def is_map(case: Case) -> bool:
    """Say whether the last two axes are those of small maps, such as windows of images."""
    shape = case.expected.shape
    if len(shape) < 3 or not bool(case.wrong.any()):
        return False
    return shape[-2] in CELLS and shape[-1] in CELLS


def maps_drawn(case: Case) -> str:
    """Draw the first map that is wrong, cell by cell: as expected, and as it came."""
    rows, columns = case.expected.shape[-2:]
    right, came, wrong = (
        one.reshape(-1, rows, columns) for one in (case.expected, case.got, case.wrong)
    )
    first = int(wrong.flatten(1).any(1).nonzero()[0])
    place = place_of(first, case.expected.shape[:-2])
    values = torch.stack([right[first], came[first]])
    low, high = float(values.min()), float(values.max())
    shades = (values - low) / ((high - low) or 1.0)
    words = (
        f"The map{f' at {place}' * bool(place)}: {int(wrong[first].sum())} of {rows * columns} "
        "numbers differ, and have a cross. The stronger the shade, the larger the number."
    )
    crosses = torch.stack([torch.zeros_like(wrong[first]), wrong[first]])
    parts = []
    for name, shade, cross in zip(("Expected", "Got"), shades, crosses, strict=True):
        cells = "".join(
            cell(row, column, float(shade[row, column]), bool(cross[row, column]))
            for row in range(rows)
            for column in range(columns)
        )
        svg = drawing(cells, f"{name}. {words}", CELL * columns, CELL * rows)
        parts.append(f'<div style="margin:0 1.2em .3em 0">{name}{svg}</div>')
    both = f'<div style="display:flex;flex-wrap:wrap;margin:.4em 0 0">{"".join(parts)}</div>'
    return f'{both}<div style="margin:0 0 .4em">{escape(words)}</div>'


def cell(row: int, column: int, shade: float, is_wrong: bool) -> str:
    """Draw one cell of a map, with a cross if it is wrong."""
    x, y = CELL * column, CELL * row
    shape = (
        f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill="currentColor" '
        f'fill-opacity="{0.04 + 0.7 * shade:.2f}" stroke="currentColor" stroke-opacity="0.3"/>'
    )
    # On a dark ground of its own: the cell may have any shade.
    strokes = (("#111111", 4.5), (AMBER, 2))
    left, top = x + CELL // 2 - 3, y + CELL // 2 - 3
    cross = "".join(
        f'<path d="M{left} {top}l6 6m0 -6l-6 6" stroke="{colour}" stroke-width="{width}" '
        'stroke-linecap="round"/>'
        for colour, width in strokes
    )
    return shape + cross * is_wrong
