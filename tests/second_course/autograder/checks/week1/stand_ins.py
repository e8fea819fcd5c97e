"""Right answers to functions that later tasks use, for students whose own are wrong."""

from detlab.checking.student import Student
from runcourse import truth
from runlab.runs import Runs


def encode(student: Student, bits: str) -> Runs:
    """Task 1.1."""
    return truth.encode(bits)


STAND_INS = {"1.1": {"encode": encode}}
