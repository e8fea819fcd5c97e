"""Task 2.9: the student's network, trained for real and measured on unseen digits."""

import pytest
import torch
from training import score_of

from detlab.checking.expect import fail
from detlab.checking.student import Student

pytestmark = [
    pytest.mark.task("2.9", points=8),
    pytest.mark.needs("2.2", "2.5", "2.6"),
    # More than the loader's budget: what remains is for the measuring.
    pytest.mark.limits(cpu_s=300, memory_mb=3072, wall_s=1200),
]

# The reference with five secrets, in 107 to 111 processor seconds each, on one placement of
# each hidden digit: accuracy 0.976, 0.962, 0.968, 0.954, 0.974 (mean 0.967) and mean IoU 0.860,
# 0.859, 0.860, 0.863, 0.863. On four placements of each, as here, luck moves an accuracy by half as
# much: three trainings outside the sandbox reached 0.978, 0.973, 0.973.
# Plain solutions, on half as many images twice as often: a network of three convolutions and
# poolings, without normalisation, trained by Adam with a constant rate, 0.88 and 0.58; one like
# LeNet 0.73 and 0.50.
ACCURACIES = (0.50, 0.65, 0.75, 0.90)
IOUS = (0.30, 0.40, 0.50, 0.65)


@pytest.mark.parametrize("least", ACCURACIES)
def test_accuracy(student: Student, rng: torch.Generator, least: float) -> None:
    """Labels of unseen digits are right."""
    score = score_of(student, rng)
    if score.accuracy < least:
        bands = ", ".join(f"{band:.2f}" for band in ACCURACIES)
        fail(f"The label accuracy is {score.accuracy:.3f}; points at {bands}.{score.remark}")


@pytest.mark.parametrize("least", IOUS)
def test_iou(student: Student, rng: torch.Generator, least: float) -> None:
    """Boxes of unseen digits are in their places."""
    score = score_of(student, rng)
    if score.iou < least:
        bands = ", ".join(f"{band:.2f}" for band in IOUS)
        fail(f"The mean IoU is {score.iou:.3f}; points at {bands}.{score.remark}")
