"""Task 4.12: a network that was trained on blood cells, handed in as a file of weights."""

from pathlib import Path

import pytest

from detcourse.week4.trained import measured
from detlab.checking.expect import fail
from detlab.checking.student import Student
from detlab.weeks.week4.assertions import FORBIDDEN

pytestmark = [
    pytest.mark.task("4.12", points=10),
    pytest.mark.weights("bccd"),
    pytest.mark.costly,
    pytest.mark.limits(cpu_s=600, memory_mb=4096, wall_s=2000),
    pytest.mark.forbid(*FORBIDDEN),
]

# Measured on the images as they are (docs/results.md): the reference reached 0.900 in an hour of
# two cores; before, with 24 passes, steps of eight images and the localization term a mean, 0.878.
# The best band leaves room below both: a training differs from the next, and the recipe was
# chosen by the images as they are.
PRECISIONS = (0.40, 0.60, 0.75, 0.82, 0.86)


@pytest.mark.parametrize("least", PRECISIONS)
def test_precision(student: Student, weights_file: Path, least: float) -> None:
    """Cells of the test images are found."""
    score = measured(student, weights_file)
    if score.mean < least:
        bands = ", ".join(f"{band:.2f}" for band in PRECISIONS)
        fail(f"The mAP is {score.mean:.3f} ({score.per_class}); points at {bands}.")
