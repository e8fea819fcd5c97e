"""Known mistakes, asked what a student was asked. They are the staff's own code and run here."""

from __future__ import annotations

import contextlib
import functools
import io
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from types import CodeType
from typing import Any

import torch

from detgrader.assignment import Assignment
from detgrader.grading.diagnosis import Answers, KnownMistake, Suspect
from detgrader.grading.results import Status
from detgrader.grading.session import CheckSession, Subject
from detgrader.grading.stand_ins import StandIns, bound_to
from detgrader.grading.tasks import Check
from detlab.checking.notebook import CodeCell
from detlab.checking.student import Request
from detlab.checking.workbench import Question, Tool, Workbench


class MistakesBench:
    """Runs checks on known mistakes.

    Args:
        session: the collected checks.
        assignment: what was released.
        stand_ins: right answers to earlier tasks' functions.
        tools: what checks may have run beside the mistake's objects.
    """

    def __init__(
        self,
        session: CheckSession,
        assignment: Assignment,
        stand_ins: StandIns,
        tools: Mapping[str, Tool],
    ):
        self.session = session
        self.assignment = assignment
        self.stand_ins = stand_ins
        self.tools = tools
        self.prepared: dict[str, Any] | None = None

    def ask(
        self, mistake: KnownMistake, check: Check, expected: list[Any] | None, again: bool
    ) -> Answers:
        """Run one check on a mistake, up to the first answer unlike the expected ones, if any.

        Args:
            again: whether it is asked as in a second run: stand-ins answer for earlier tasks.
        """
        silence = contextlib.redirect_stderr(io.StringIO())  # progress bars
        with warnings.catch_warnings(), contextlib.redirect_stdout(None), silence:
            warnings.simplefilter("ignore")
            bench = Restarted(functools.partial(self.bench_of, mistake, again))
            suspect = Suspect(with_own_chance(bench.perform), expected)
            try:
                outcome = self.session.run(check, Subject(suspect, lambda: mistake.names))
            finally:
                bench.forget()
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
        failed = outcome.status is Status.FAILED
        return Answers(suspect._answers, not suspect._differs, failed, outcome.message)

    def bench_of(self, mistake: KnownMistake, again: bool) -> Workbench:
        """Run a mistake's cells, its own in sight of stand-ins where a student's were."""
        if self.prepared is None:  # once: what it defines is the same for all
            self.prepared = namespace_after([CodeCell("setup", self.assignment.setup)], {})
        cells = mistake.submission.up_to(mistake.cells[-1])
        before = [cell for cell in cells if cell.name not in mistake.cells]
        bench = bench_in(namespace_after(before, self.prepared), self.tools)
        if again:
            earlier = self.assignment.before(mistake.overlay.task)
            bench.given |= bound_to(bench.perform_here, self.stand_ins, earlier)
            bench.namespace |= {name: Question(bench.ask, name) for name in bench.given}
        run([cell for cell in cells if cell.name in mistake.cells], bench.namespace)
        return bench


def bench_on(cells: Iterable[CodeCell], tools: Mapping[str, Tool]) -> Workbench:
    """Run cells of the staff's in this process; return a bench with what they define."""
    return bench_in(namespace_after(cells, {}), tools)


def bench_in(namespace: dict[str, Any], tools: Mapping[str, Tool]) -> Workbench:
    """Return a bench with what a namespace holds."""
    return Workbench(namespace, tools, lambda frame: frame.f_code.co_filename)


def namespace_after(cells: Iterable[CodeCell], before: Mapping[str, Any]) -> dict[str, Any]:
    """Run cells on a copy of a namespace; return what it holds then."""
    namespace: dict[str, Any] = {"__name__": "__main__", **before}
    run(cells, namespace)
    return namespace


def run(cells: Iterable[CodeCell], namespace: dict[str, Any]) -> None:
    """Run cells in a namespace."""
    for cell in cells:
        exec(compiled(cell.name, cell.source), namespace)


class Restarted:
    """A bench in this process that a check may have made anew.

    Args:
        make: makes it.
    """

    def __init__(self, make: Callable[[], Workbench]):
        self.make = make
        self.bench = make()

    def perform(self, request: str, *arguments: Any) -> Any:
        """Carry out a request of a check."""
        if request != "again":
            return self.bench.perform_here(request, *arguments)
        self.forget()
        self.bench = self.make()
        return None

    def forget(self) -> None:
        """Let go of what was made there: a network may be large, and a bench refers to itself."""
        self.bench.objects.clear()


def with_own_chance(perform: Request) -> Request:
    """Give requests a torch generator of their own, as a worker has one.

    Else what a check draws meanwhile, such as a new layer's weights, would be drawn from the one
    that the check has just seeded for the student, and be others than a student was asked.
    """
    own = torch.get_rng_state()

    def performing(request: str, *arguments: Any) -> Any:
        nonlocal own
        checks = torch.get_rng_state()
        torch.set_rng_state(own)
        try:
            return perform(request, *arguments)
        finally:
            own = torch.get_rng_state()
            torch.set_rng_state(checks)

    return performing


@functools.cache
def compiled(name: str, source: str) -> CodeType:
    """Compile a cell of the staff's, once."""
    return compile(source, name, "exec", dont_inherit=True)
