"""What a grading process is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from detgrader.grading.handed_in import HandedIn
from detgrader.intake import Submission


@dataclass(frozen=True)
class Order:
    """A submission to be graded; by default all of it, as for a student.

    The rest is what staff know of their own submissions, so that an audit need not run it again.

    Attributes:
        only: labels of the tasks that are graded, whatever they rest on; None grades all.
        ended: grade ids of cells that ended their worker when their own task was graded: they are
            left out for later tasks.
        passing: keys of checks that are known to pass: they count so without being run.
        once: labels of tasks whose earlier cells are known to be right: what fails there is not run
            a second time with stand-ins.
        sparing: whether costly checks count as passed, not run, once a cheap one of their task
            failed.
        without_costly: whether tasks with a costly check are left for later, their points unknown.
        hints: whether a wrong answer is compared with known mistakes.
        bucket: which of the secret's sets of inputs is asked; None leaves it to the notebook.
        weights: those that were handed in, if they were read where the file lies; None has them
            read when grading begins.
    """

    submission: Submission
    only: frozenset[str] | None = None
    ended: frozenset[str] = frozenset()
    passing: frozenset[str] = frozenset()
    once: frozenset[str] = frozenset()
    sparing: bool = False
    without_costly: bool = False
    hints: bool = True
    bucket: int | None = None
    weights: HandedIn | None = None
