"""Visible checks: fixed public inputs, an answer at once, a message that helps.

Each week of a course has a module `PACKAGE.weekN.visible` of functions marked `@visible("1.5")`
(and maybe a module `tools` beside it); the first line of a function's docstring is what the
student reads. The package itself holds the `check` that notebooks call: a `VisibleChecks`.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import inspect
import io
import pkgutil
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

from torch import Tensor

from detlab.checking import shown
from detlab.checking.case import LastCall
from detlab.checking.expect import CheckFailure
from detlab.checking.hints import Hints, HintsGiven, steps_of
from detlab.checking.known import Failure, failure_of, hint_for, known_mistakes
from detlab.checking.labels import week_of
from detlab.checking.moment import (
    before_checks,
    history_of,
    is_untouched,
    misspelt,
    week_at_hand,
)
from detlab.checking.notebook import ReleasedCell, defined_by
from detlab.checking.outline import ReleasedTask, read_outline, read_tasks
from detlab.checking.progress import Progress
from detlab.checking.report import TO_DO, Finding, Report, State, no_boxes
from detlab.checking.student import Student
from detlab.checking.tools import tools_of
from detlab.checking.values import allow_records
from detlab.checking.workbench import StudentError, Tool, Workbench

VisibleCheck = Callable[[Student], None]
SEED = 2016
# What a stub says.
STUB = re.compile(r"task (\d+\.\d+):")
# Takes a task, and then what `pictures.Corners` takes.
CornersOf = Callable[[str, str, str, Tensor], Tensor | None]


class CheckFailed(Exception):
    """Some visible checks of a task fail. In a notebook it shows as text, not as a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class NoSuchTask(ValueError):
    """A check is asked for that there is not. In a notebook it shows as text."""

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
        corners: says which numbers are boxes, for pictures; None where none are.
    """

    def __init__(
        self, package: str, records: Iterable[type] = (), corners: CornersOf | None = None
    ):
        self.package = package
        self.corners = corners
        self.hints = HintsGiven()
        allow_records(records)

    def __call__(self, task: str | float | None = None) -> None:
        """Check the answer to a task in the notebook that calls this, and show what was found.

        Args:
            task: the task's label, for example "1.5"; a number will do, where it is clear. Without
                it, all tasks of the notebook's week are checked, and you see how they stand.

        Raises:
            CheckFailed: the answer is wrong, still to be written, or has not run.
            ValueError: no such task, or nothing of any week has run.
        """
        namespace = sys._getframe(1).f_globals
        if task is None:
            shown.show(self.progress(namespace))
            return
        report = self.look(self.label_of(task), namespace)
        in_notebook = shown.kernel_shell() is not None
        if report.passed or report.in_words or in_notebook:
            shown.show(report)
        if not report.passed and not report.in_words:
            shown.end_quietly(CheckFailed)
            raise CheckFailed(report.text)

    def hint(self, task: str | float) -> None:
        """Say where to look when a task is not right yet: one hint more each time you ask.

        Args:
            task: the task's label, for example "1.5".

        Raises:
            ValueError: no such task.
        """
        task = self.label_of(task)
        report = self.look(task, sys._getframe(1).f_globals)
        if report.state in (State.PASSES, State.NOT_RUN):
            end = " There is nothing to hint at." if report.passed else ""
            shown.show(Hints(task, [], 0, report.verdict + end))
            return
        titles = [title_of(check) for check in self.tasks_of_week(week_of(task)).get(task, [])]
        released = {one.label: one for one in self.released_tasks(week_of(task))}
        heading = f"Task {task} · {released[task].title}" if task in released else ""
        shown.show(self.hints.one_more(task, steps_of(report, titles, heading)))

    def look(self, task: str, namespace: dict[str, Any]) -> Report:
        """Check a task in a notebook, if its cells have run as they are now.

        Raises:
            ValueError: no such task.
        """
        cells = self.released_cells(task)
        code = [cell for cell in cells if cell.cell_type == "code"]
        if cells and not code:
            return Report(task, in_words=True)
        week = self.cells_of_week(week_of(task))
        if reason := before_checks(code, week, namespace):
            return Report(task, reason=reason)
        report = self.report(task, namespace)
        if report.passed or not is_untouched(code, namespace):
            return report
        names, ran = (
            [name for one in code for name in defined_by(one.source)],
            history_of(namespace),
        )
        likes = [misspelt(name, week, ran, namespace) for name in names]
        return Report(task, hint=next(filter(None, likes), "").strip())

    def progress(self, namespace: dict[str, Any]) -> Progress:
        """Check all tasks of the week that a notebook is of.

        Raises:
            ValueError: nothing of any week has run.
        """
        week = week_at_hand(self.outlines(), namespace)
        tasks = self.released_tasks(week)
        # What students' code prints belongs to the check of its task.
        with contextlib.redirect_stdout(io.StringIO()):
            states = {task.label: self.look(task.label, namespace).state for task in tasks}
        return Progress(week, tasks, states)

    def outlines(self) -> dict[int, dict[str, ReleasedCell]]:
        """Return by week what was released of it, as far as that is known."""
        found = {}
        for module in pkgutil.iter_modules(importlib.import_module(self.package).__path__):
            number = module.name.removeprefix("week")
            if number.isdecimal():
                with contextlib.suppress(LookupError):
                    found[int(number)] = read_outline(self.package, int(number))
        return found

    def label_of(self, task: str | float) -> str:
        """Return the label of a task, which somebody may have written as a number.

        Raises:
            NoSuchTask: there is none, or there are two.
        """
        label = str(task).strip().casefold().removeprefix("task").strip()
        form = re.fullmatch(r"(\d+)\.\d+", label)
        known = dict.fromkeys(self.tasks_of_week(int(form[1]))) if form else {}
        # `check(1.5)` is clear, but 1.10 would be read as 1.1
        if isinstance(task, float) and f"{label}0" in known:
            raise NoSuchTask(f"which task is {label}? Write it as in check('{label}0')")
        if label not in known and not self.released_cells(label):
            there = f"; its week has {', '.join(known)}" if known else ""
            raise NoSuchTask(f"there is no task {task!r}; write it as in check('1.5'){there}")
        return label

    def released_cells(self, task: str) -> list[ReleasedCell]:
        """Return a task's answer cells as they were released; none where that is not known."""
        try:
            return [cell for cell in self.cells_of_week(week_of(task)) if cell.task == task]
        except ValueError:
            return []

    def cells_of_week(self, week: int) -> list[ReleasedCell]:
        """Return a week's cells as they were released; none where that is not known."""
        try:
            return list(read_outline(self.package, week).values())
        except LookupError:
            return []

    def released_tasks(self, week: int) -> list[ReleasedTask]:
        """Return a week's tasks as they were released; none where that is not known."""
        try:
            return read_tasks(self.package, week)
        except LookupError:
            return []

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
        began = time.perf_counter()
        findings = [run_visible(function, namespace, tools) for function in checks]
        taken = time.perf_counter() - began
        corners = functools.partial(self.corners, task) if self.corners else no_boxes
        hint = self.hint_for(task, findings)
        report = Report(task, findings, seconds=taken, hint=hint, corners=corners)
        report.wait_for_others()
        return report

    def hint_for(self, task: str, findings: Sequence[Finding]) -> str:
        """Return the hint of the known mistake that an answer most likely has, if any."""
        known = known_mistakes(self.package, week_of(task)).get(task, [])
        failed = {one.check: one.failure for one in findings if one.failure}
        return hint_for(known, failed, [one.check for one in findings if one.passed])

    def module(self, week: int, part: str) -> ModuleType | None:
        """Import a part of a week, "visible" or "tools"; None if there is none."""
        package = f"{self.package}.week{week}"
        name = f"{package}.{part}"
        if importlib.util.find_spec(package) is None or importlib.util.find_spec(name) is None:
            return None
        return importlib.import_module(name)


def title_of(function: VisibleCheck) -> str:
    """Return what a check looks at: the first line of its docstring."""
    return (inspect.getdoc(function) or function.__name__).splitlines()[0].rstrip(".")


def run_visible(
    function: VisibleCheck, namespace: dict[str, Any], tools: Mapping[str, Tool]
) -> Finding:
    """Run one check; return what it found."""
    title, name = title_of(function), function.__name__
    last = LastCall(Workbench(namespace, tools, lambda frame: "your code").perform_here)
    student = Student(last)
    student.seed(SEED)
    open_figures = figures()

    def failed(error: Exception) -> Failure:
        return failure_of(student.transcript, error)

    try:
        # Progress bars of a training would bury what the check has to say.
        with contextlib.redirect_stderr(io.StringIO()):
            function(student)
    except CheckFailure as failure:
        return Finding(title, str(failure), failure.case, last.call, name, failed(failure))
    except StudentError as error:
        if error.type_name == "NotImplementedError":
            return to_do(title, error, vars(function)["task"])
        return Finding(title, str(error), None, last.call, name, failed(error))
    finally:
        # A figure drawn for a check would otherwise appear in the student's notebook.
        for number in figures() - open_figures:
            sys.modules["matplotlib.pyplot"].close(number)
    return Finding(title, check=name)


def to_do(title: str, error: StudentError, task: str) -> Finding:
    """Say that a part is to do; or, if an earlier task's stub stopped it, what it needs."""
    other = STUB.match(error.message)
    if not other or other[1] == task:
        return Finding(title, TO_DO)
    asked = f"`{error.frames[-1].function}` of " if error.frames else ""
    needs = f"it needs {asked}task {other[1]}, which is still to do."
    return Finding(title, f"This cannot be checked yet: {needs}", needs=needs)


def figures() -> set[int]:
    """Return the numbers of pyplot's open figures, without importing it."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return set(pyplot.get_fignums()) if pyplot else set()
