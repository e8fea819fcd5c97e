"""What visible and hidden checks of week 1 share."""

from typing import Any

from detlab.checking.expect import expect_equal, expect_ints, fail, type_of
from runlab.runs import Runs


def expect_runs(value: Any, expected: Runs, what: str) -> None:
    """Compare an answer with the expected runs; the lengths may come in a list."""
    if type(value) is not Runs:
        fail(f"{what} must be the `Runs` of the setup cell, but is {type_of(value)}.")
    expect_equal(value.first, expected.first, f"{what}: `first`")
    lengths = expect_ints(value.lengths, f"{what}: `lengths`", len(expected.lengths))
    expect_equal(lengths, expected.lengths, f"{what}: `lengths`")
