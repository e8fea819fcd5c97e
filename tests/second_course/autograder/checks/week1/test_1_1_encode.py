"""Task 1.1: from a string of bits to its runs."""

import pytest
import torch

from detlab.checking.expect import expect_list
from detlab.checking.student import Student
from runcourse.truth import decode, random_runs
from runlab.runs import Runs
from runlab.weeks.week1.assertions import expect_runs

pytestmark = pytest.mark.task("1.1", points=8)


@pytest.mark.weight(3)
@pytest.mark.parametrize("first", ["0", "1"])
def test_runs(student: Student, rng: torch.Generator, first: str) -> None:
    """The runs of a string are counted in order."""
    runs = random_runs(rng, first, 12)
    expect_runs(student.encode(bits=decode(runs)), runs, "`encode`'s result")


def test_single_runs(student: Student, rng: torch.Generator) -> None:
    """A string of a single run has one."""
    right = [random_runs(rng, first, 1) for first in "01"]
    texts = [decode(runs) for runs in right]
    answers = student.tool("each", student.fetch("encode"), texts)
    for answer, runs in zip(expect_list(answers, "The results", 2), right, strict=True):
        expect_runs(answer, runs, "The result for a single run")


def test_empty(student: Student) -> None:
    """The empty string has no runs."""
    expect_runs(student.encode(bits=""), Runs("", ()), "The result for the empty string")
