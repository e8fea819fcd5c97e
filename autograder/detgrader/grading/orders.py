"""What a grading process is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from detgrader.intake import Submission


@dataclass(frozen=True)
class Order:
    """A submission to be graded, and how much of it.

    Attributes:
        only: labels of the tasks that staff want graded, whatever they rest on; None grades all,
            as for a student.
    """

    submission: Submission
    only: frozenset[str] | None = None
