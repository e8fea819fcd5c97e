"""Task 1.3: chances that were learned from lights, handed in as a file of weights."""

import pytest
import torch

from detgrader.grading.handed_in import HandedIn
from detlab.checking.expect import expect_close, fail
from detlab.checking.student import Student
from runcourse.lights import MAX_MB, learned, measured, random_rows

pytestmark = [pytest.mark.task("1.3", points=6), pytest.mark.weights("lights", max_mb=MAX_MB)]

# The reference foretells 0.91 of the unseen lights; who always says "on" is right at every second.
SHARES = (0.60, 0.75, 0.85)


@pytest.mark.weight(3)
def test_learn(student: Student, rng: torch.Generator) -> None:
    """Chances are learned from rows of lights."""
    rows = random_rows(rng)
    expect_close(student.learn(rows=rows), learned(rows), "`learn`'s result")


@pytest.mark.costly
@pytest.mark.parametrize("least", SHARES)
def test_lights(weights_file: HandedIn, least: float) -> None:
    """Unseen lights are foretold."""
    share = measured(weights_file)
    if share < least:
        bands = ", ".join(f"{band:.2f}" for band in SHARES)
        fail(f"The chances foretell {share:.3f} of the lights; points at {bands}.")
