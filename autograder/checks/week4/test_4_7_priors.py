"""Task 4.7: the priors of SSD300."""

import pytest
import torch
from torch import Tensor

from detcourse.week4.full_size import cells_of_maps
from detlab.checking.expect import expect_close, expect_equal, fail
from detlab.checking.student import Student
from detlab.weeks.detection import expect_floats, expect_priors, is_fit, with_last_square
from detlab.weeks.week4.assertions import (
    FEATURE_SIZES,
    FORBIDDEN,
    NUM_PRIORS,
    PER_CELL,
    expect_own_work,
)

pytestmark = [pytest.mark.task("4.7", points=8), pytest.mark.forbid(*FORBIDDEN)]


def part(student: Student, k: int) -> Tensor:
    """Return the student's priors of one map."""
    answer = student.make_priors()
    answer = expect_floats(answer, "`make_priors`'s result", (NUM_PRIORS, 4))
    counts = [n * size * size for n, size in zip(PER_CELL, FEATURE_SIZES, strict=True)]
    return answer[sum(counts[:k]) : sum(counts[: k + 1])]


@pytest.mark.parametrize("k", range(len(FEATURE_SIZES)))
def test_map(student: Student, k: int) -> None:
    """The priors of a map are right, cell by cell."""
    what = f"The priors of the map of {FEATURE_SIZES[k]}×{FEATURE_SIZES[k]} cells"
    cells = cells_of_maps()[k]
    # Many programs, and a well-known course, give the last square side 1.
    other = with_last_square(cells, FEATURE_SIZES[k], 1.0)
    last = k == len(FEATURE_SIZES) - 1 and is_fit(part(student, k), other, what)
    expect_priors(part(student, k), other if last else cells, what)


@pytest.mark.weight(2)
def test_all(student: Student) -> None:
    """There are 8,732 priors of float32, always the same, all made by the function itself."""
    answer = student.make_priors()
    answer = expect_floats(answer, "`make_priors`'s result", (NUM_PRIORS, 4))
    expect_equal(answer.dtype, torch.float32, "The priors' dtype", "It must be float32.")
    expect_close(student.make_priors(), answer, "`make_priors`'s second result", 0.0)
    expect_own_work(student, "make_priors")
    if float(answer[:, 2:].min()) <= 0:
        fail("Each prior must have a width and a height.")
