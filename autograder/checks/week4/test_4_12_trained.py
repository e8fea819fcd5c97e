"""Task 4.12: a network that was trained on blood cells, handed in as a file of weights."""

from collections.abc import Callable

import pytest

from detcourse.week4.trained import MAX_MB, measured
from detgrader.grading.handed_in import HandedIn
from detlab.checking.expect import fail
from detlab.checking.student import Student

pytestmark = [
    pytest.mark.task("4.12", points=10),
    pytest.mark.weights("bccd", max_mb=MAX_MB),
    pytest.mark.costly,
    # 217 images in the grader's own network, 0.6 seconds each on an idle core (2.33 for four in the
    # benchmarks' ledger).
    pytest.mark.limits(cpu_s=900, memory_mb=4096, wall_s=3600),
]

# Measured on the images as they are (docs/results.md): the reference reached 0.900 in an hour of
# two cores; before, with 24 passes, steps of eight images and the localization term a mean, 0.878,
# all with boxes a pixel narrower than they are read now.
# The best band leaves room below both: a training differs from the next, and the recipe was
# chosen by the images as they are.
PRECISIONS = (0.40, 0.60, 0.75, 0.82, 0.86)


@pytest.mark.parametrize("least", PRECISIONS)
def test_precision(
    student: Student, weights_file: HandedIn, tell_staff: Callable[[str], None], least: float
) -> None:
    """The mAP on the test images."""
    score = measured(student, weights_file)
    tell_staff(score.remark)
    if score.mean < least:
        bands = ", ".join(f"{band:.2f}" for band in PRECISIONS)
        fail(f"The mAP is {score.mean:.3f} ({score.per_class}); points at {bands}.")
