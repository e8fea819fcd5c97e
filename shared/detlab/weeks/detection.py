"""Assertions on boxes, priors, detections and losses that the weeks about SSD share."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from detlab.checking.expect import (
    CheckFailure,
    expect_floats,
    expect_keys,
    expect_list,
    expect_number,
    expect_tensor,
    fail,
)

TERMS = ("localization", "confidence")
# How detections are made where nothing else is said, and wherever they are measured: as the paper
# does, nearly everything counts, the best 200 of an image.
MIN_SCORE, IOU_THRESHOLD, TOP_K = 0.01, 0.45, 200


def expect_indices(value: Any, what: str, shape: Sequence[int]) -> Tensor:
    """Take an answer as int64 numbers of this shape."""
    value = expect_tensor(value, what, shape)
    if value.dtype != torch.int64:
        fail(f"{what} must be int64, but is {value.dtype}.")
    return value


def clipped(priors: Tensor) -> list[Tensor]:
    """Return the forms that priors may have: as they are, and cut to the image in either way."""
    half = priors[..., 2:] / 2
    corners = torch.cat([priors[..., :2] - half, priors[..., :2] + half], -1).clamp(0, 1)
    first, last = corners[..., :2], corners[..., 2:]
    return [priors, priors.clamp(0, 1), torch.cat([(first + last) / 2, last - first], -1)]


def expect_priors(answer: Any, cells: Tensor, what: str) -> Tensor:
    """Check priors cell by cell; their order inside a cell is free.

    Args:
        answer: the student's, (P, 4).
        cells: (cells, priors of a cell, 4) float64, `cxcywh`.
    """
    count, per_cell, _ = cells.shape
    answer = expect_floats(answer, what, (count * per_cell, 4))
    found = answer.double().view(count, per_cell, 4)
    forms = clipped(cells)
    if any(same_in_each_cell(found, form) for form in forms):
        return answer
    if all(float((found[..., :2] - form[..., :2]).abs().max()) > 1e-3 for form in forms[:2]):
        if float((found[..., [1, 0]] - cells[..., :2]).abs().max()) < 1e-3:
            fail(f"{what} are transposed: the centre's x comes from the column, y from the row.")
        if float((found[..., :2] + found[..., 2:] / 2 - cells[..., :2]).abs().min()) < 1e-3:
            fail(f"{what} must be `cxcywh`: centres first.")
        fail(f"{what} have wrong centres: map by map, row by row, cell by cell.")
    if same_in_each_cell(found[..., [0, 1, 3, 2]], cells):
        fail(f"{what} have width and height exchanged: a ratio is width / height.")
    fail(f"{what} have wrong widths or heights, or lie in a wrong cell's place.")


def is_fit(answer: Any, cells: Tensor, what: str) -> bool:
    """Say whether an answer has these priors (see `expect_priors`)."""
    try:
        expect_priors(answer, cells, what)
    except CheckFailure:
        return False
    return True


def with_last_square(cells: Tensor, size: int, side: float) -> Tensor:
    """Give the extra squares of the last map another side.

    Args:
        cells: (cells, priors of a cell, 4), the extra square last in each.
        size: cells along a side of the last map.
    """
    other = cells.clone()
    other[-size * size :, -1, 2:] = side
    return other


def same_in_each_cell(found: Tensor, expected: Tensor) -> bool:
    """Say whether the priors of every cell are the expected ones, in whatever order.

    Each expected prior is to be found exactly as often as it is expected (two may be equal).
    """
    near = (found[:, :, None] - expected[:, None]).abs().amax(-1) < 1e-3
    alike = (expected[:, :, None] - expected[:, None]).abs().amax(-1) < 1e-3
    return bool((near.sum(1) == alike.sum(1)).all())


def expect_detections(answer: Any, count: int) -> list[dict[str, Tensor]]:
    """Take an answer of `detect`: a dict for each image, its tensors of one length."""
    detections = expect_list(answer, "`detect`'s result", count)
    for one in detections:
        found = expect_keys(one, ("boxes", "labels", "scores"), "A detection")
        scores = expect_tensor(found["scores"], "The scores")
        length = scores.numel()
        expect_floats(scores, "The scores", (length,))
        expect_indices(found["labels"], "The labels", (length,))
        expect_floats(found["boxes"], "The boxes", (length, 4))
        if length > 1 and bool((scores.diff() > 0).any()):
            fail("The detections of an image must come by falling score.")
    return detections


def expect_terms(answer: Any) -> dict[str, float]:
    """Take an answer of `multibox_terms`: two numbers by name."""
    terms = expect_keys(answer, TERMS, "`multibox_terms`'s result")
    if len(terms) > len(TERMS):
        fail("`multibox_terms` must return two terms and nothing else: a training adds them up.")
    return {name: expect_number(terms[name], f'"{name}"') for name in TERMS}
