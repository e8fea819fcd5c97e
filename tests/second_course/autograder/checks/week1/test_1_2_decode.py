"""Task 1.2: from runs back to a string, and whether they are worth it."""

import pytest
import torch

from detlab.checking.expect import expect_equal
from detlab.checking.student import Student
from runcourse.truth import decode, random_runs
from runlab.runs import Runs

pytestmark = pytest.mark.task("1.2", points=6)


@pytest.mark.weight(2)
@pytest.mark.parametrize("first", ["0", "1"])
def test_bits(student: Student, rng: torch.Generator, first: str) -> None:
    """Runs are written out as the bits that they stand for."""
    runs = random_runs(rng, first, 12)
    expect_equal(student.decode(runs=runs), decode(runs), "`decode`'s result")


def test_no_bits(student: Student) -> None:
    """No runs are the empty string."""
    expect_equal(student.decode(runs=Runs("", ())), "", "`decode`'s result for no runs")


@pytest.mark.parametrize("saved", [-1, 0, 1])
def test_pays(student: Student, rng: torch.Generator, saved: int) -> None:
    """Runs pay when they are fewer numbers than bits, not as many."""
    count = int(torch.randint(3, 9, (), generator=rng))
    # As many bits as runs, then one run longer: count + 1 numbers for count + 1 + saved bits.
    runs = Runs("1", (2 + saved, *[1] * (count - 1)))
    expect_equal(student.pays(bits=decode(runs)), saved > 0, "`pays`' result")
