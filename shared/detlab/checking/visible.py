"""Visible checks: fixed public inputs, an answer at once, a message that helps.

Each week of a course has a module `PACKAGE.weekN.visible` of functions marked `@visible("1.5")`
(and maybe a module `tools` beside it); the first line of a function's docstring is what the
student reads. The package itself holds the `check` that notebooks call: a `VisibleChecks`.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import io
import sys
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

from detlab.checking.expect import CheckFailure
from detlab.checking.labels import week_of
from detlab.checking.moment import before_checks, is_untouched
from detlab.checking.notebook import ReleasedCell
from detlab.checking.outline import read_outline
from detlab.checking.student import Student
from detlab.checking.tools import tools_of
from detlab.checking.values import allow_records
from detlab.checking.workbench import StudentError, Tool, Workbench

VisibleCheck = Callable[[Student], None]
SEED = 2016
TO_DO = "This part is still to do."


class CheckFailed(Exception):
    """Some visible checks of a task fail. In a notebook it shows as text, not as a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def visible(task: str) -> Callable[[VisibleCheck], VisibleCheck]:
    """Mark a function as a visible check of a task."""

    def mark(function: VisibleCheck) -> VisibleCheck:
        vars(function)["task"] = task
        return function

    return mark


class VisibleChecks:
    """The visible checks of a course; called with a task's label, it checks the caller's notebook.

    Args:
        package: name of the course's package of weeks.
        records: its named tuples that may pass between a student's code and a check. They are
            allowed from now on: whoever imports the package, a grader too, needs to know no more.
    """

    def __init__(self, package: str, records: Iterable[type] = ()):
        self.package = package
        allow_records(records)

    def __call__(self, task: str | float) -> None:
        """Check the answer to a task in the notebook that calls this, and print what was found.

        Args:
            task: the task's label, for example "1.5"; a number will do, where it is clear.

        Raises:
            CheckFailed: the answer is wrong, still to be written, or has not run.
            ValueError: no such task.
        """
        namespace = sys._getframe(1).f_globals
        if isinstance(task, float):  # `check(1.5)` is clear, but 1.10 would be read as 1.1
            task = self.label_of(task)
        cells = self.released_cells(task)
        code = [cell for cell in cells if cell.cell_type == "code"]
        if cells and not code:
            print(f"Task {task} is answered in words: a person reads it, and no check does.")
            return
        if reason := before_checks(code, namespace):
            raise CheckFailed(f"Task {task} {reason}")
        report = self.report(task, namespace)
        if not report.passed and is_untouched(code, namespace):
            report = Report(task, [], {TO_DO})
        if not report.passed:
            raise CheckFailed(report.text)
        print(report.text)

    def label_of(self, number: float) -> str:
        """Return the label that somebody wrote as a number.

        Raises:
            ValueError: there are two such tasks.
        """
        label = str(number)
        if f"{label}0" in self.tasks_of_week(int(number)):
            raise ValueError(f"which task is {label}? Write it as in check('{label}0')")
        return label

    def released_cells(self, task: str) -> list[ReleasedCell]:
        """Return a task's answer cells as they were released; none where that is not known."""
        try:
            released = read_outline(self.package, week_of(task)).values()
        except (LookupError, ValueError):
            return []
        return [cell for cell in released if cell.task == task]

    def tasks_of_week(self, week: int) -> dict[str, list[VisibleCheck]]:
        """Return the visible checks of a week by task label; none if there is no such week."""
        module = self.module(week, "visible")
        tasks: dict[str, list[VisibleCheck]] = {}
        for function in vars(module).values() if module else ():
            if inspect.isfunction(function) and (task := vars(function).get("task")):
                tasks.setdefault(task, []).append(function)
        return tasks

    def report(self, task: str, namespace: dict[str, Any]) -> Report:
        """Run a task's visible checks on the functions of a namespace.

        Raises:
            ValueError: no such task.
        """
        checks = self.tasks_of_week(week_of(task)).get(task)
        if not checks:
            raise ValueError(f"there is no check for a task {task!r}; write it as in check('1.5')")
        module = self.module(week_of(task), "tools")
        tools = tools_of([module] if module else [])
        problems = {function: run_visible(function, namespace, tools) for function in checks}
        lines = []
        for function, problem in problems.items():
            title = (inspect.getdoc(function) or function.__name__).splitlines()[0].rstrip(".")
            lines.append(f"  {'✓' if problem is None else '✗'} {title}")
            lines += [f"      {line}" for line in (problem or "").splitlines()]
        return Report(task, lines, set(problems.values()))

    def module(self, week: int, part: str) -> ModuleType | None:
        """Import a part of a week, "visible" or "tools"; None if there is none."""
        package = f"{self.package}.week{week}"
        name = f"{package}.{part}"
        if importlib.util.find_spec(package) is None or importlib.util.find_spec(name) is None:
            return None
        return importlib.import_module(name)


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


def run_visible(
    function: VisibleCheck, namespace: dict[str, Any], tools: Mapping[str, Tool]
) -> str | None:
    """Run one check; return what is wrong, or None."""
    student = Student(Workbench(namespace, tools, lambda frame: "your code").perform_here)
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
