"""Task 3.11: the student's SSD, trained for real and measured on scenes of unseen digits."""

import pytest
import torch

from detcourse.week3.training import trained
from detlab.checking.expect import fail
from detlab.checking.student import Student
from detlab.weeks.week3.assertions import FORBIDDEN

pytestmark = [
    pytest.mark.task("3.11", points=8),
    pytest.mark.needs("3.3", "3.4", "3.5", "3.6", "3.7", "3.8"),
    pytest.mark.costly,
    # More than the loader's budget: what remains is for the measuring.
    pytest.mark.limits(cpu_s=300, memory_mb=3072, wall_s=1200),
    pytest.mark.forbid(*FORBIDDEN),
]

# Measured here with five seeds each, in 26 to 30 processor seconds of the worker:
#   the reference                              0.984 0.983 0.982 0.984 0.979
#   with BN, Adam at a constant rate of 0.001  0.974 0.977 0.973 0.974 0.966
#   without BN, the same                       0.907 0.916 0.897 0.909 0.895
# With a fourth pass, in some 40 seconds, the reference reached 0.984 0.986 0.982 0.984 0.985.
# Priors with x and y exchanged reach 0.84, since a network can learn around them: so the
# network's priors are looked at before (see `training.measure`).
PRECISIONS = (0.80, 0.86, 0.90, 0.93)


@pytest.mark.parametrize("least", PRECISIONS)
def test_precision(student: Student, task_rng: torch.Generator, least: float) -> None:
    """The mAP on unseen scenes after the training."""
    score = trained(student, task_rng)
    if score.mean < least:
        bands = ", ".join(f"{band:.2f}" for band in PRECISIONS)
        fail(f"The mAP is {score.mean:.3f}; points at {bands}.{score.remark}")
