"""Task 3.10: the student's network and loop learn eight scenes by heart."""

import pytest
import torch

from detcourse.trainings import expect_following
from detcourse.week3.training import PASSES, learned_by_heart
from detlab.checking.expect import fail
from detlab.checking.student import Student
from detlab.weeks.week3.assertions import FORBIDDEN

pytestmark = [
    pytest.mark.task("3.10", points=4),
    pytest.mark.needs("3.3", "3.4", "3.5", "3.6", "3.7", "3.8"),
    pytest.mark.limits(cpu_s=120, memory_mb=3072, wall_s=480),
    pytest.mark.forbid(*FORBIDDEN),
]

# The reference with five seeds: a loss of 0.006 to 0.008 and an mAP of 1, in two processor
# seconds. Adam at a constant rate of 0.001: 0.07 to 0.09, and without BN 0.23 to 0.55; mAP 1.
LOSSES = (1.5, 0.5)
PRECISIONS = (0.80, 0.95)


@pytest.mark.parametrize("most", LOSSES)
def test_loss(student: Student, task_rng: torch.Generator, most: float) -> None:
    """The loss on the batch after the training."""
    score = learned_by_heart(student, task_rng)
    if not score.loss <= most:
        bounds = " and ".join(map(str, LOSSES))
        fail(f"After {PASSES} passes the loss is {score.loss:.2f}; points at {bounds}.")
    expect_following(score.followed)


@pytest.mark.parametrize("least", PRECISIONS)
def test_precision(student: Student, task_rng: torch.Generator, least: float) -> None:
    """The mAP on the batch after the training."""
    score = learned_by_heart(student, task_rng)
    if score.mean < least:
        bands = " and ".join(f"{band:.2f}" for band in PRECISIONS)
        fail(f"The mAP on the batch is {score.mean:.3f}; points at {bands}.{score.remark}")
    expect_following(score.followed)
