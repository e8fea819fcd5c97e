"""Whether a notebook tells a mistake by name: each mutant is asked the visible checks."""

from __future__ import annotations

from collections.abc import Sequence

from detgrader.assignment import Assignment
from detgrader.audit.bars import Progress
from detgrader.audit.cases import Case, Kind
from detgrader.audit.verdicts import Problem
from detgrader.course import Course
from detgrader.grading.visible import checked_tasks, visible_reports, why_untold

# Of a week's mutants so large a share must be told by their own hint.
LEAST = 0.9


def find_untold(
    course: Course, assignment: Assignment, cases: Sequence[Case], progress: Progress
) -> dict[str, str]:
    """Ask mutants the visible checks of their tasks.

    Returns:
        By mutant's name why it is not told by its own hint; the empty string if it is.
    """
    checked = checked_tasks(course, assignment.name)
    mutants = [case.overlay for case in cases if case.kind is Kind.MUTANT and case.overlay]
    asked = [mutant for mutant in mutants if mutant.task in checked]
    if not asked:
        return {}
    found = {}
    with progress(len(asked), "mutants in a notebook") as on_result:
        for mutant, report in visible_reports(course, assignment, asked):
            found[mutant.name] = why_untold(mutant, report)
            on_result(mutant)
    return found


def problems(untold: dict[str, str]) -> list[Problem]:
    """Say whether too few mutants of a week are told by their own hint."""
    told = sum(not why for why in untold.values())
    if told >= LEAST * len(untold):
        return []
    what = f"tell {told} of {len(untold)} mutants by their own hint, fewer than {LEAST:.0%}"
    lines = [f"{name}: {why}" for name, why in untold.items() if why]
    return [Problem("check", "visible checks", "", what, detail="\n".join(lines))]
