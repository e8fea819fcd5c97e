"""Visible checks: fixed public inputs, an answer at once, a message that helps.

Each week has a module of functions marked `@visible("1.5")`; the first line of a
function's docstring is what the student reads.
"""

import contextlib
import importlib
import inspect
import io
import pkgutil
import sys
from collections.abc import Callable
from typing import Any

from detlab.checking.expect import CheckFailure
from detlab.checking.student import Student
from detlab.checking.workbench import StudentError, Workbench

VisibleCheck = Callable[[Student], None]
REGISTRY: dict[str, list[VisibleCheck]] = {}
SEED = 2016
TO_DO = "This part is still to do."


class CheckFailed(Exception):
    """Some visible checks of a task fail. In a notebook it shows as text, not as a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def visible(task: str) -> Callable[[VisibleCheck], VisibleCheck]:
    """Mark a function as a visible check of a task."""

    def register(function: VisibleCheck) -> VisibleCheck:
        REGISTRY.setdefault(task, []).append(function)
        return function

    return register


def tasks_of_week(week: str) -> list[str]:
    """Import the visible checks of a week and return the labels of its tasks."""
    for module in pkgutil.iter_modules(__path__):
        if module.name.startswith(f"week{week}_"):
            importlib.import_module(f"{__name__}.{module.name}")
    return [task for task in REGISTRY if task.split(".")[0] == week]


def check(task: str) -> None:
    """Check the answer to a task in the notebook that calls this, and print what was found.

    Args:
        task: the task's label, for example "1.5".

    Raises:
        CheckFailed: the answer is wrong, or still to be written.
        ValueError: no such task.
    """
    report = check_namespace(task, sys._getframe(1).f_globals)
    if not report.passed:
        raise CheckFailed(report.text)
    print(report.text)


class Report:
    """What the visible checks of one task found.

    Attributes:
        task: label.
        lines: one for each check, with a mark.
        problems: what was wrong; None for a check that passed.
    """

    def __init__(self, task: str, lines: list[str], problems: set[str | None]):
        self.task = task
        self.lines = lines
        self.problems = problems

    @property
    def passed(self) -> bool:
        """Whether all checks passed."""
        return self.problems == {None}

    @property
    def text(self) -> str:
        """All of it, for people."""
        if self.problems == {TO_DO}:
            return f"Task {self.task} is still to do."
        verdict = "passes" if self.passed else "is not right yet"
        end = ["  The grader will use other inputs."] if self.passed else []
        return "\n".join([f"Task {self.task} {verdict}.", *self.lines, *end])


def check_namespace(task: str, namespace: dict[str, Any]) -> Report:
    """Run a task's visible checks on the functions of a namespace.

    Raises:
        ValueError: no such task.
    """
    if task not in tasks_of_week(task.split(".")[0]):
        raise ValueError(f"there is no check for a task {task!r}; write it as in check('1.5')")
    problems = {function: run_visible(function, namespace) for function in REGISTRY[task]}
    lines = []
    for function, problem in problems.items():
        title = (inspect.getdoc(function) or function.__name__).splitlines()[0].rstrip(".")
        lines.append(f"  {'✓' if problem is None else '✗'} {title}")
        lines += [f"      {line}" for line in (problem or "").splitlines()]
    return Report(task, lines, set(problems.values()))


def run_visible(function: VisibleCheck, namespace: dict[str, Any]) -> str | None:
    """Run one check; return what is wrong, or None."""
    student = Student(Workbench(namespace, lambda frame: "your code").perform_here)
    student.seed(SEED)
    open_figures = figures()
    try:
        # Progress bars of a training would bury what the check has to say.
        with contextlib.redirect_stderr(io.StringIO()):
            function(student)
    except CheckFailure as failure:
        return str(failure)
    except StudentError as error:
        return TO_DO if error.type_name == "NotImplementedError" else str(error)
    finally:
        # A figure drawn for a check would otherwise appear in the student's notebook.
        for number in figures() - open_figures:
            sys.modules["matplotlib.pyplot"].close(number)
    return None


def figures() -> set[int]:
    """Return the numbers of pyplot's open figures, without importing it."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return set(pyplot.get_fignums()) if pyplot else set()
