"""Task 3.6: offsets from priors, and back."""

import functools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from detcourse import truth, wrong_ways
from detcourse.cases import random_boxes, uniform
from detlab.checking.causes import explained_by
from detlab.checking.expect import expect_close
from detlab.checking.own_work import expect_untouched
from detlab.checking.student import Student
from detlab.weeks.detection import expect_floats
from detlab.weeks.week3.assertions import FORBIDDEN, expect_own_work

pytestmark = [pytest.mark.task("3.6", points=6), pytest.mark.forbid(*FORBIDDEN)]

CASES = (40, 1, 0)


def random_priors(rng: torch.Generator, count: int) -> torch.Tensor:
    """Return priors, some of which stick out: (count, 4), `cxcywh`."""
    return torch.cat([uniform(rng, 0, 1, count, 2), uniform(rng, 0.05, 0.9, count, 2)], 1)


def cause_of(
    ways: Callable[[Tensor, Tensor], wrong_ways.Ways], given: Tensor, priors: Tensor, answer: Tensor
) -> str:
    """Say what wrong boxes or offsets are, if it is plain."""
    return explained_by(answer, ways(given, priors))


@pytest.mark.weight(3)
def test_encode(student: Student, rng: torch.Generator) -> None:
    """The offsets of boxes from their priors."""
    for count in CASES:
        priors, corners = random_priors(rng, count), random_boxes(rng, count, 0.02, 0.9)
        boxes = truth.xyxy_to_cxcywh(corners)
        answer = student.encode_offsets(boxes=boxes, priors=priors)
        answer = expect_floats(answer, "`encode_offsets`'s result", (count, 4))
        expected = truth.encode_offsets(boxes.double(), priors.double())
        cause = functools.partial(cause_of, wrong_ways.encoded, boxes, priors)
        expect_close(answer, expected, "`encode_offsets`'s result", 1e-4, cause)
    boxes, priors = truth.xyxy_to_cxcywh(random_boxes(rng, 3)), random_priors(rng, 3)
    expect_untouched(student, "encode_offsets", boxes, priors)
    expect_own_work(student, "encode_offsets", boxes=boxes, priors=priors)


@pytest.mark.weight(3)
def test_decode(student: Student, rng: torch.Generator) -> None:
    """The boxes that offsets from priors stand for."""
    for count in CASES:
        priors, offsets = random_priors(rng, count), 3 * torch.randn(count, 4, generator=rng)
        answer = student.decode_offsets(offsets=offsets, priors=priors)
        answer = expect_floats(answer, "`decode_offsets`'s result", (count, 4))
        expected = truth.decode_offsets(offsets.double(), priors.double())
        cause = functools.partial(cause_of, wrong_ways.decoded, offsets, priors)
        expect_close(answer, expected, "`decode_offsets`'s result", 1e-4, cause)
    offsets, priors = torch.randn(3, 4, generator=rng), random_priors(rng, 3)
    expect_untouched(student, "decode_offsets", offsets, priors)
    expect_own_work(student, "decode_offsets", offsets=offsets, priors=priors)
