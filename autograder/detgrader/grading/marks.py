"""The marks of hidden checks, and what they say about a check and its task.

task(label, points=…)      the task that it belongs to, and the task's points
weight(number)             its share of them, against the task's other checks (default 1)
limits(cpu_s=…, …)         what the task may use, see `detgrader.sandbox.limits.Limits`
forbid(name, …)            names that the task's cells must not mention
needs(label, …)            earlier tasks on whose answers this one rests, such as a training:
                           it is skipped when one of them earned nothing, and runs once
weights(data)              the task measures a file of weights that was handed in beside the
                           notebook, on this set of data; it runs once. The check gets the
                           file's path by a third fixture, `weights_file`
costly                     the check trains or measures for long: known mistakes are not asked
                           what it asks, so no hint comes from it
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from detgrader.course import CourseError
from detgrader.sandbox.limits import Limits

MARKERS = (
    "task(label, points): the task that a check belongs to",
    "weight(number): the check's share of the task's points",
    "limits(cpu_s, memory_mb, wall_s): what the task may use",
    "forbid(*names): names that the task's cells must not mention",
    "needs(*labels): earlier tasks on whose answers this one rests",
    "weights(data): the task measures weights that were handed in, on a set of data",
    "costly: known mistakes are not asked what this check asks",
)
FIXTURES = {"student", "rng", "task_rng", "weights_file", "request"}


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
    """

    checks: list[Check] = field(default_factory=list)
    limits: Limits = field(default_factory=Limits)
    forbidden: set[str] = field(default_factory=set)
    needs: list[str] = field(default_factory=list)
    weights_of: str = ""

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
            (self.weights_of,) = mark.args


def marks_of(item: pytest.Item, name: str) -> Iterator[pytest.Mark]:
    """Yield the marks of one name that an item has."""
    yield from item.iter_markers(name)


def sort_checks(items: list[pytest.Item]) -> dict[str, TaskChecks]:
    """Sort collected checks by task.

    Raises:
        CourseError: one of them is not marked as a check must be.
    """
    tasks: dict[str, TaskChecks] = {}
    for item in items:
        check = read_check(item)
        tasks.setdefault(check.task, TaskChecks()).take(check)
    return tasks


def read_check(item: pytest.Item) -> Check:
    """Read a check's marks.

    Raises:
        CourseError: it has none, or uses a fixture that a check cannot have.
    """
    where = f"{item.path.name}::{item.name}"
    marks = list(item.iter_markers("task"))
    if not isinstance(item, pytest.Function):
        raise CourseError(f"{where}: a check is a function")
    if not marks or not marks[0].args or "points" not in marks[0].kwargs:
        raise CourseError(f'{where}: mark it with pytest.mark.task("1.5", points=15)')
    others = set(item.fixturenames) - FIXTURES - set(parameters_of(item))
    if others:
        known = "`student`, `rng`, `task_rng` and `weights_file`"
        raise CourseError(f"{where}: a check has only {known}, not {sorted(others)}")
    weight = item.get_closest_marker("weight")
    share = float(weight.args[0]) if weight else 1.0
    costly = item.get_closest_marker("costly") is not None
    return Check(item, marks[0].args[0], share, costly)


def parameters_of(item: pytest.Function) -> list[str]:
    """Return the names that a parametrized check gets from its parametrization."""
    callspec = getattr(item, "callspec", None)
    return list(callspec.params) if callspec else []
