"""Margins: how far a task's limits of processor time and memory are from what right answers take.

A student's machine is not asked, but the grader's may be slow or busy, and a right answer may take
twice what the reference takes. So the slowest and the largest of all accepted solutions must stay
well below the limits: by the kernel's account of their workers' processor time and memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from detgrader.audit.reuse import Record
from detgrader.audit.verdicts import MEASURED, Problem, Verdict
from detgrader.grading.tasks import TaskChecks

FACTOR = 3.0
# What trains or measures takes long, and so its own time says more of how fast the machine is.
FACTOR_OF_TRAININGS = 2.0
# By the name of each limit's mark.
UNITS = {"cpu_s": "processor seconds", "memory_mb": "MiB of memory"}


def too_near(mark: str, taken: float, checks: TaskChecks) -> bool:
    """Say whether a solution takes too large a part of a task's limit.

    Args:
        mark: the limit's name.
    """
    return bool(taken * factor_of(checks) > getattr(checks.limits, mark))


def factor_of(checks: TaskChecks) -> float:
    """Return how many times a limit must be what a right answer takes."""
    return FACTOR_OF_TRAININGS if checks.runs_once else FACTOR


def problems(verdicts: Iterable[Verdict], checks: Mapping[str, TaskChecks]) -> list[Problem]:
    """Say of which tasks a limit is too near, and to which solution: the one that takes most.

    Args:
        verdicts: those on the reference and on variants are looked at, in the tasks that they were
            graded in as a whole, and were accepted in.
        checks: by task label.
    """
    most: dict[tuple[str, str], tuple[float, Verdict]] = {}
    for mark, label, taken, verdict in measured(verdicts):
        if taken > most.get((mark, label), (0.0, verdict))[0]:
            most[mark, label] = taken, verdict
    found = []
    for (mark, label), (taken, verdict) in most.items():
        if too_near(mark, taken, checks[label]):
            limit, factor = getattr(checks[label].limits, mark), factor_of(checks[label])
            words = (
                f"takes {taken:.4g} of {limit} {UNITS[mark]}, more than one part in {factor:g}: "
                f"make its checks lighter, or raise the mark limits({mark}=…)"
            )
            found.append(Problem(verdict.case.kind, verdict.case.name, label, words))
    return found


def measured(verdicts: Iterable[Verdict]) -> Iterator[tuple[str, str, float, Verdict]]:
    """Yield the name of a limit, a task's label, and what an accepted solution took of it."""
    for verdict in verdicts:
        refused = {problem.task for problem in verdict.problems}
        for label, record in verdict.records.items():
            own = verdict.case.kind in MEASURED and label == (verdict.case.task or label)
            if own and label not in refused:
                for mark, taken in taken_by(record):
                    yield mark, label, taken, verdict


def taken_by(record: Record) -> Iterator[tuple[str, float]]:
    """Yield the name of each limit, and what a solution took of it."""
    yield "cpu_s", record.result.seconds
    yield "memory_mb", record.result.memory_mb
