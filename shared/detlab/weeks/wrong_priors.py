"""In what way priors are wrong: told only where the numbers bear it out."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from detlab.checking.wording import listed, number

NEAR = 1e-3
NAMES = ("c_x", "c_y", "w", "h")
ORDER = "map by map, row by row, cell by cell"


def clipped(priors: Tensor) -> list[Tensor]:
    """Return the forms that priors may have: as they are, and cut to the image in either way."""
    corners = corners_of(priors).clamp(0, 1)
    first, last = corners[..., :2], corners[..., 2:]
    return [priors, priors.clamp(0, 1), torch.cat([(first + last) / 2, last - first], -1)]


def corners_of(priors: Tensor) -> Tensor:
    """Return priors as corners."""
    half = priors[..., 2:] / 2
    return torch.cat([priors[..., :2] - half, priors[..., :2] + half], -1)


def same_in_each_cell(found: Tensor, expected: Tensor) -> bool:
    """Say whether the priors of every cell are the expected ones, in whatever order.

    Each expected prior is to be found exactly as often as it is expected (two may be equal).
    """
    near = (found[:, :, None] - expected[:, None]).abs().amax(-1) < NEAR
    alike = (expected[:, :, None] - expected[:, None]).abs().amax(-1) < NEAR
    return bool((near.sum(1) == alike.sum(1)).all())


def in_order_of(found: Tensor, cells: Tensor) -> Tensor:
    """Return the right priors in the order that an answer may have them in each cell.

    Args:
        found: (cells, priors of a cell, 4) float64.
        cells: the right ones, of the same shape.
    """
    weights = torch.tensor([0.0, 0.0, 1.0, 3.7], dtype=torch.float64)  # by their sizes
    theirs, ours = ((one @ weights).argsort(1)[..., None].expand_as(one) for one in (found, cells))
    moved = torch.empty_like(cells).scatter(1, theirs, cells.gather(1, ours))
    apart = [int(((found - one).abs() >= NEAR).sum()) for one in (cells, moved)]
    return cells if apart[0] <= apart[1] else moved


def wrong_priors(found: Tensor, cells: Tensor) -> str:
    """Say in what way priors are wrong, to go on a sentence that begins with them.

    Args:
        found: (cells, priors of a cell, 4) float64, wrong.
        cells: the right ones, of the same shape.
    """
    for form in clipped(cells):
        if words := wrong_form(found, form) or wrong_order(found, form):
            return words
    forms = clipped(cells)
    if all(float((found[..., :2] - form[..., :2]).abs().max()) > NEAR for form in forms[:2]):
        return f"have wrong centres{wrong_centres(found, cells)}."
    return f"have wrong widths or heights{wrong_sides(found, cells)}."


def wrong_form(found: Tensor, cells: Tensor) -> str:
    """Say that the four numbers of each prior are in another form or order, if they are."""
    if same_in_each_cell(found, corners_of(cells)) or same_in_each_cell(
        found, corners_of(cells).clamp(0, 1)
    ):
        return "are corners: they must be `cxcywh`, the centre and the size."
    for order in itertools.permutations(range(4)):
        if order != (0, 1, 2, 3) and same_in_each_cell(found, cells[..., list(order)]):
            if order == (1, 0, 2, 3):
                return "are transposed: the centre's x comes from the column, y from the row."
            if order == (0, 1, 3, 2):
                return "have width and height exchanged: a ratio is width / height."
            names = listed(NAMES[place] for place in order)
            return f"hold {names} in this order: they must be `cxcywh`."
    return ""


def wrong_order(found: Tensor, cells: Tensor) -> str:
    """Say that the priors are right but stand in another order, if they do."""
    rows = [one.flatten(0, 1) for one in (found, cells)]
    weights = torch.tensor([1.0, 3.7, 7.3, 13.1], dtype=torch.float64)
    first, second = (one[(one @ weights).argsort()] for one in rows)
    if len(first) > 1 and float((first - second).abs().max()) < NEAR:
        return f"are right, but stand in another order: {ORDER}, all priors of a cell together."
    return ""


def sizes_of(cells: Tensor) -> Tensor:
    """Return for each cell how many there are along a side of its map: (cells, 1)."""
    sizes: list[int] = []
    while len(sizes) < len(cells):
        # The first cell's centre is half a cell from the corner.
        size = max(round(0.5 / max(float(cells[len(sizes), 0, 0]), 1e-3)), 1)
        sizes += [size] * size**2
    return torch.tensor(sizes[: len(cells)], dtype=torch.float64)[:, None]


def wrong_centres(found: Tensor, cells: Tensor) -> str:
    """Say where the centres are instead, if it is plain."""
    right, centres, sizes = cells[:, 0, :2], found[:, 0, :2], sizes_of(cells)
    if float((found[..., :2] - centres[:, None]).abs().max()) > NEAR:
        return ": those of one cell's priors differ"
    index = right * sizes - 0.5
    mirrored = torch.stack([right[:, 0], 1 - right[:, 1]], 1)
    ways = {
        "at the cells' upper left corners": index / sizes,
        "at the cells' lower right corners": (index + 1) / sizes,
        "in steps from 0 to 1, both included": index / (sizes - 1).clamp(min=1),
        "in cells, not in fractions of the image": index + 0.5,
        "in pixels of 300, not in fractions of the image": right * 300,
        "counted from the lower right corner": 1 - right,
        "counted from below": mirrored,
        "counted from the right": 1 - mirrored,
        "all the same": centres[:1].expand_as(centres),
    }
    for words, way in ways.items():
        if float((centres - way).abs().max()) < NEAR:
            return f", {words}"
    return f": {ORDER}"


def wrong_sides(found: Tensor, cells: Tensor) -> str:
    """Say what the widths and heights are instead, if it is plain."""
    sides, right, sizes = found[..., 2:], cells[..., 2:], sizes_of(cells)[:, None]
    near = (sides[:, :, None] - right[:, None]).abs().amax(-1) < NEAR
    fitting = near.any(1)  # of the right ones, those that are there
    if bool((sides <= 0).any()):
        return ": some are not above 0"
    ways = {
        "divided by the map's size": right / sizes,
        "half of what they should be": right / 2,
        "twice what they should be": right * 2,
        "in cells, not in fractions of the image": right * sizes,
        "in pixels of 300, not in fractions of the image": right * 300,
    }
    missing = ~fitting
    for words, way in ways.items():
        alike = (sides[:, :, None] - way[:, None]).abs().amax(-1) < NEAR * way.abs().amax(-1)[
            :, None
        ].clamp(min=1)
        if bool((alike.any(1) | fitting).all()) and bool(alike.any(1)[missing].all()):
            return f": {words}"
    areas, shapes = (
        [one.sort(1).values for one in (part(sides), part(right))]
        for part in (lambda x: x.prod(-1), lambda x: x[..., 0] / x[..., 1])
    )
    if near_all(*areas):
        return ": each has the right area and another ratio of width and height"
    if near_all(*shapes):
        factor = (areas[0] / areas[1]).sqrt()
        if float(factor.max() - factor.min()) < NEAR:
            return f": all are {number(float(factor.mean()))} times what they should be"
        return ": each has the right ratio of width and height and another area"
    everywhere = fitting.all(0)
    if bool(everywhere.any()):
        names = [f"{n}" for n in range(1, len(everywhere)) if everywhere[n - 1]]
        names += ["the extra square"] * bool(everywhere[-1])
        ratios = [name if "extra" in name else f"ratio number {name}" for name in names]
        return f": right is only what belongs to {listed(ratios)}"
    return ""


def near_all(found: Tensor, right: Tensor) -> bool:
    """Say whether all numbers, above 0, agree by their relation: some are small."""
    return bool(torch.allclose(found, right, rtol=NEAR, atol=0))
