"""Assertions on boxes, priors, detections and losses that the weeks about SSD share."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from detlab.checking.case import Case
from detlab.checking.expect import (
    CheckFailure,
    expect_floats,
    expect_keys,
    expect_list,
    expect_number,
    expect_tensor,
    fail,
)
from detlab.weeks.wrong_priors import (
    NEAR,
    clipped,
    in_order_of,
    same_in_each_cell,
    wrong_priors,
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
    right, came = in_order_of(found, cells).flatten(0, 1), found.flatten(0, 1)
    case = Case(what, right, came, (came - right).abs() >= NEAR)
    fail(f"{what} {wrong_priors(found, cells)}", case=case)


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
