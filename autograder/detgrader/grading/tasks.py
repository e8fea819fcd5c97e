"""Collected checks, sorted by task, and what their marks say of the task as a whole."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from detgrader.course import CourseError
from detgrader.grading import marks
from detgrader.sandbox.limits import Limits

Fault = tuple[str, int, str]  # file, line, what is wrong and what to do


@dataclass(frozen=True)
class Check:
    """One collected check.

    Attributes:
        item: what pytest runs.
        weight: its share of the task's points, against the task's other checks.
        costly: whether it trains or measures for long.
    """

    item: pytest.Function
    task: str
    weight: float
    costly: bool

    @property
    def title(self) -> str:
        """First line of its docstring: what a student is told that it looks at."""
        doc = inspect.getdoc(self.item.function) or self.item.name
        return doc.splitlines()[0].rstrip(".")

    @property
    def name(self) -> str:
        """Its test's name."""
        return self.item.name

    @property
    def key(self) -> str:
        """What it is known by among all checks of its week."""
        return f"{self.item.path.name}::{self.item.name}"


@dataclass
class TaskChecks:
    """A task's checks, and what their marks say of the task as a whole.

    Attributes:
        limits: what the task may use.
        forbidden: names that its cells must not mention.
        needs: labels of the earlier tasks on whose answers it rests.
        weights_of: the set on which it measures handed-in weights, or the empty string.
        weights_mb: how large these may be.
    """

    checks: list[Check] = field(default_factory=list)
    limits: Limits = field(default_factory=Limits)
    forbidden: set[str] = field(default_factory=set)
    needs: list[str] = field(default_factory=list)
    weights_of: str = ""
    weights_mb: int = 0

    @property
    def costly(self) -> bool:
        """Whether some check of it trains or measures for long."""
        return any(check.costly for check in self.checks)

    @property
    def runs_once(self) -> bool:
        """Whether it trains or measures, and so is never run a second time with stand-ins."""
        return bool(self.needs or self.weights_of)

    def take(self, check: Check) -> None:
        """Take one more check in, with what its marks say of the task."""
        self.checks.append(check)
        for mark in marks_of(check.item, "limits"):
            self.limits = Limits(**mark.kwargs)
        for mark in marks_of(check.item, "forbid"):
            self.forbidden |= set(mark.args)
        for mark in marks_of(check.item, "needs"):
            self.needs += [label for label in mark.args if label not in self.needs]
        for mark in marks_of(check.item, "weights"):
            (self.weights_of,), self.weights_mb = mark.args, mark.kwargs["max_mb"]


def marks_of(item: pytest.Item, name: str) -> Iterator[pytest.Mark]:
    """Yield the marks of one name that an item has."""
    yield from item.iter_markers(name)


def sort_checks(items: list[pytest.Item]) -> dict[str, TaskChecks]:
    """Sort collected checks by task.

    Raises:
        CourseError: naming by file and line all that is not marked as it must be.
    """
    refuse({fault for item in items for fault in faults_of(item)})
    tasks: dict[str, TaskChecks] = {}
    for item in items:
        check = read_check(item)
        tasks.setdefault(check.task, TaskChecks()).take(check)
    refuse({fault for label in tasks for fault in faults_of_task(label, tasks)})
    return tasks


def faults_of_task(label: str, tasks: dict[str, TaskChecks]) -> Iterator[Fault]:
    """Yield where the checks of a task contradict each other, or what it needs is not there."""
    items = [check.item for check in tasks[label].checks]
    for name, words in (("task", "points"), ("limits", "limits")):
        marked = [(item, mark) for item in items for mark in marks_of(item, name)]
        for item, mark in marked:
            if mark.kwargs != marked[0][1].kwargs:
                file, line, _ = fault_at(marked[0][0], "")
                text = (
                    f"other {words} for {label} than in {file}:{line}, and they hold for all of it"
                )
                yield fault_at(item, f"{text}; make them agree")
    for item in items:
        for mark in marks_of(item, "needs"):
            for needed in mark.args:
                if text := marks.fault_of_need(label, needed, list(tasks)):
                    yield fault_at(item, text)


def faults_of(item: pytest.Item) -> Iterator[Fault]:
    """Yield what is wrong with a collected check: its marks, its docstring, its fixtures.

    A release tells most of it already; but what it cannot read, such as a mark that is computed,
    is known only now.
    """
    if not isinstance(item, pytest.Function):
        yield fault_at(item, f"{item.name}: a check is a function")
        return
    for mark in item.iter_markers():
        if text := marks.fault_of(mark.name, mark.args, mark.kwargs):
            yield fault_at(item, text)
    strangers = set(item.fixturenames) - {*marks.FIXTURES, "request"} - set(parameters_of(item))
    documented = bool(inspect.getdoc(item.function))
    labels = [mark.args[0] for mark in marks_of(item, "task") if mark.args]
    for text in marks.faults_of_check(item.originalname, documented, sorted(strangers), labels):
        yield fault_at(item, text)


def fault_at(item: pytest.Item, text: str) -> Fault:
    """Return a fault at a check's function."""
    here = Path.cwd()
    path = item.path.relative_to(here) if item.path.is_relative_to(here) else item.path
    return path.as_posix(), (item.location[1] or 0) + 1, text


def refuse(faults: Iterable[Fault]) -> None:
    """Raise one CourseError that lists all faults; none, no error."""
    if lines := [f"{file}:{line}: {text}" for file, line, text in sorted(faults)]:
        raise CourseError("\n".join(lines))


def read_check(item: pytest.Item) -> Check:
    """Read a check's marks, which are sound."""
    assert isinstance(item, pytest.Function)
    (label,) = next(marks_of(item, "task")).args
    weight = item.get_closest_marker("weight")
    share = float(weight.args[0] if weight.args else weight.kwargs["number"]) if weight else 1.0
    return Check(item, label, share, item.get_closest_marker("costly") is not None)


def parameters_of(item: pytest.Function) -> list[str]:
    """Return the names that a parametrized check gets from its parametrization."""
    callspec = getattr(item, "callspec", None)
    return list(callspec.params) if callspec else []
