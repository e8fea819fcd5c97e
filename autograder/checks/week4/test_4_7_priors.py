"""Task 4.7: the priors of SSD300."""

import pytest
import torch

from detcourse.week4.full_size import expect_priors_of_map
from detlab.checking.expect import expect_close, expect_equal, fail
from detlab.checking.student import Student
from detlab.weeks.detection import expect_floats
from detlab.weeks.week4.assertions import (
    FEATURE_SIZES,
    FORBIDDEN,
    NUM_PRIORS,
    expect_own_work,
)

pytestmark = [pytest.mark.task("4.7", points=8), pytest.mark.forbid(*FORBIDDEN)]


@pytest.mark.parametrize("k", range(len(FEATURE_SIZES)))
def test_map(student: Student, k: int) -> None:
    """The priors of each map, cell by cell."""
    answer = expect_floats(student.make_priors(), "`make_priors`'s result", (NUM_PRIORS, 4))
    size = FEATURE_SIZES[k]
    expect_priors_of_map(answer, k, f"The priors of the map of {size}×{size} cells")


@pytest.mark.weight(2)
def test_all(student: Student) -> None:
    """The number and dtype of all priors, and that the function makes them itself."""
    answer = student.make_priors()
    answer = expect_floats(answer, "`make_priors`'s result", (NUM_PRIORS, 4))
    expect_equal(answer.dtype, torch.float32, "The priors' dtype", "It must be float32.")
    expect_close(student.make_priors(), answer, "`make_priors`'s second result", 0.0)
    expect_own_work(student, "make_priors")
    if float(answer[:, 2:].min()) <= 0:
        fail("Each prior must have a width and a height.")
