"""What a notebook's checks say: of mistakes their own hint, of right answers nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detgrader.assignment import Assignment
from detgrader.audit.bars import Progress
from detgrader.audit.cases import Case, Kind
from detgrader.audit.verdicts import Problem
from detgrader.course import Course
from detgrader.grading.visible import checked_tasks, visible_reports, why_untold
from detgrader.overlays import Overlay
from detlab.checking.report import Report

# Of a week's mutants so large a share must be told by their own hint.
LEAST = 0.9


def find_untold(
    course: Course, assignment: Assignment, cases: Sequence[Case], progress: Progress
) -> dict[str, str]:
    """Ask mutants the visible checks of their tasks.

    Returns:
        By mutant's name why it is not told by its own hint; the empty string if it is.
    """
    return {
        mutant.name: why_untold(mutant, report)
        for mutant, report in asked(course, assignment, cases, Kind.MUTANT, progress)
    }


def find_refused(
    course: Course, assignment: Assignment, cases: Sequence[Case], progress: Progress
) -> list[Problem]:
    """Ask variants the visible checks of their tasks; return those that are taken for wrong."""
    return [
        Problem(
            "variant", variant.name, variant.task, "is wrong by a notebook's check", report.text
        )
        for variant, report in asked(course, assignment, cases, Kind.VARIANT, progress)
        if not report.passed
    ]


def asked(
    course: Course,
    assignment: Assignment,
    cases: Sequence[Case],
    kind: Kind,
    progress: Progress,
) -> Iterator[tuple[Overlay, Report]]:
    """Yield overlays of a kind, with what the visible checks of their tasks say."""
    checked = checked_tasks(course, assignment.name)
    overlays = [case.overlay for case in cases if case.kind is kind and case.overlay]
    those = [overlay for overlay in overlays if overlay.task in checked]
    if not those:
        return
    with progress(len(those), f"{kind}s in a notebook") as on_result:
        for overlay, report in visible_reports(course, assignment, those):
            yield overlay, report
            on_result(overlay)


def problems(untold: dict[str, str]) -> list[Problem]:
    """Say whether too few mutants of a week are told by their own hint."""
    told = sum(not why for why in untold.values())
    if told >= LEAST * len(untold):
        return []
    what = f"tell {told} of {len(untold)} mutants by their own hint, fewer than {LEAST:.0%}"
    lines = [f"{name}: {why}" for name, why in untold.items() if why]
    return [Problem("check", "visible checks", "", what, detail="\n".join(lines))]
