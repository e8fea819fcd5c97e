"""Known mistakes under the visible checks: what students' package is told of them.

They are the staff's own code and run in this process, each as it would in a student's notebook.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
import warnings
from collections.abc import Iterable, Iterator

import torch

from detgrader.assignment import Assignment, load_assignment
from detgrader.course import Course
from detgrader.overlays import Overlay, lay_over, load_overlays
from detgrader.reference import reference_submission
from detlab.checking.known import KnownMistake, write_known
from detlab.checking.notebook import CodeCell
from detlab.checking.report import Report
from detlab.checking.running import run_cell
from detlab.checking.visible import VisibleChecks


def checks_of(course: Course) -> VisibleChecks:
    """Return the course's visible checks."""
    checks = importlib.import_module(course.settings.weeks).check
    assert isinstance(checks, VisibleChecks)
    return checks


def checked_tasks(course: Course, week: str) -> frozenset[str]:
    """Return the labels of a week's tasks that visible checks look at."""
    if not course.settings.weeks:
        return frozenset()
    return frozenset(checks_of(course).tasks_of_week(course.number(week)))


def visible_reports(
    course: Course, assignment: Assignment, overlays: Iterable[Overlay]
) -> Iterator[tuple[Overlay, Report]]:
    """Run each overlay's visible checks as a notebook would; yield what they find."""
    os.environ["MPLBACKEND"] = "Agg"  # answers draw
    torch.set_num_threads(1)
    reference = reference_submission(course, assignment)
    cells = {task.label: task.code_cells for task in assignment.tasks}
    for overlay in overlays:
        changed = lay_over(reference, overlay, assignment)
        namespace = {"__name__": "__main__"}
        with warnings.catch_warnings(), silence():
            warnings.simplefilter("ignore")
            before = changed.up_to(cells[overlay.task][-1])
            for cell in [CodeCell("setup", assignment.setup), *before]:
                run_cell(cell, namespace)
            report = checks_of(course).report(overlay.task, namespace)
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
        yield overlay, report


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keep what answers print, and their progress bars, to themselves."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def known_text(course: Course, week: str, basis: str) -> str:
    """Return what students' package is told of a week's mistakes (see `detlab.checking.known`).

    Args:
        basis: hash of what it is made from.
    """
    assignment = load_assignment(course, week)
    known: dict[str, list[KnownMistake]] = {}
    mutants = load_overlays(course.mutants(week), assignment, with_hints=True)
    mistakes = [mutant for mutant in mutants if mutant.task in checked_tasks(course, week)]
    for mistake, report in visible_reports(course, assignment, mistakes):
        failures = {one.check: one.failure for one in report.findings if one.failure}
        if failures:
            known.setdefault(mistake.task, []).append(KnownMistake(mistake.hint, failures))
    return write_known(basis, known)


def why_untold(mistake: Overlay, report: Report) -> str:
    """Say why a notebook does not tell a mistake by its own hint; the empty string if it does."""
    if report.hint == mistake.hint:
        return ""
    if report.passed:
        return "passes the visible checks"
    return "another's hint is told" if report.hint else "no hint is told"
