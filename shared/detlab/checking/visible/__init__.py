"""Visible checks: fixed public inputs, an answer at once, a message that helps.

Each week has a module of functions marked `@visible("1.5")`; the first line of a
function's docstring is what the student reads.
"""

import importlib
import inspect
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


def load_week(task: str) -> None:
    """Import the visible checks of the week that a task's label begins with.

    Raises:
        ValueError: no such task.
    """
    week = task.split(".")[0]
    for module in pkgutil.iter_modules(__path__):
        if module.name.startswith(f"week{week}_"):
            importlib.import_module(f"{__name__}.{module.name}")
    if task not in REGISTRY:
        raise ValueError(f"there is no check for a task {task!r}; write it as in check('1.5')")


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
        passed: whether all of them pass.
    """

    def __init__(self, task: str, lines: list[str], passed: bool):
        self.task = task
        self.lines = lines
        self.passed = passed

    @property
    def text(self) -> str:
        """All of it, for people."""
        verdict = "passes" if self.passed else "is not right yet"
        end = ["  The grader will use other inputs."] if self.passed else []
        return "\n".join([f"Task {self.task} {verdict}.", *self.lines, *end])


def check_namespace(task: str, namespace: dict[str, Any]) -> Report:
    """Run a task's visible checks on the functions of a namespace."""
    load_week(task)
    lines, passed = [], True
    for function in REGISTRY[task]:
        title = (inspect.getdoc(function) or function.__name__).splitlines()[0].rstrip(".")
        problem = run_visible(function, namespace)
        passed = passed and problem is None
        mark = "✓" if problem is None else "✗"
        lines.append(f"  {mark} {title}")
        lines += [f"      {line}" for line in (problem or "").splitlines()]
    return Report(task, lines, passed)


def run_visible(function: VisibleCheck, namespace: dict[str, Any]) -> str | None:
    """Run one check; return what is wrong, or None."""
    student = Student(Workbench(namespace, lambda frame: "your code").perform)
    student.seed(SEED)
    try:
        function(student)
    except CheckFailure as failure:
        return str(failure)
    except StudentError as error:
        return (
            "This part is still to do." if error.type_name == "NotImplementedError" else str(error)
        )
    return None
