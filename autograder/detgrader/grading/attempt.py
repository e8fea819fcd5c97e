"""One run of a task's cells and checks in one worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from detgrader.assignment import Task
from detgrader.grading.handed_in import HandedIn
from detgrader.grading.orders import Order
from detgrader.grading.outcomes import Outcome, outcome_of
from detgrader.grading.results import CheckResult, Status
from detgrader.grading.session import CheckSession, Subject
from detgrader.grading.stand_ins import StandIns, bound_to
from detgrader.grading.tasks import Check
from detgrader.sandbox.allowance import Allowance
from detgrader.sandbox.client import WorkerClient
from detgrader.sandbox.limits import Crashed, LimitReached, Violation
from detlab.checking.notebook import CodeCell
from detlab.checking.student import Student
from detlab.checking.workbench import StudentError

# A second run that has none of these has nothing new to say.
TELLING = {Status.PASSED, Status.VIOLATION, Status.GRADER_ERROR}
# A task has its worst check's status, and these are worse than a wrong answer.
WORST_FIRST = (Status.GRADER_ERROR, Status.VIOLATION, Status.LIMIT)


@dataclass
class Prepared:
    """A worker that runs a task's cells, or has run them, while nobody waits for it.

    Attributes:
        left_out: the cells before the task's that it is not given.
        steps: the requests that were posted to it, each with the cells that it runs.
        end: how it ended before all were posted.
    """

    task: Task
    worker: WorkerClient
    left_out: set[str]
    steps: list[tuple[str, list[CodeCell]]] = field(default_factory=list)
    end: Exception | None = None

    def run(self, cells: list[CodeCell]) -> None:
        """Have cells run."""
        messages = [
            {"cell": cell.name, "source": cell.source, "definitions_only": cell.definitions_only}
            for cell in cells
        ]
        self.steps.append((self.worker.post_run(messages), cells))

    def stand_in(self, stand_ins: StandIns, earlier: list[Task]) -> None:
        """Have functions of earlier tasks answered by right ones."""
        if bound := bound_to(self.worker.perform, stand_ins, earlier):
            self.steps.append((self.worker.post_stand_ins(bound), []))

    def finish(self) -> dict[str, StudentError]:
        """Wait until all is done; return the errors of the cells that failed."""
        if self.end:
            raise self.end
        self.worker.begin()
        errors: dict[str, StudentError] = {}
        for nonce, cells in self.steps:
            if cells:
                outcomes = self.worker.outcomes_of(nonce, cells)
                errors |= {c.name: e for c, e in zip(cells, outcomes, strict=True) if e}
            else:
                self.worker.result_of(nonce)
        self.worker.charge_cells()
        return errors


class Workers:
    """The worker that a task's checks ask, and those before it: a check may ask for a fresh one.

    Args:
        prepared: the first.
        prepare: makes another like it.
    """

    def __init__(self, prepared: Prepared, prepare: Callable[[], Prepared]):
        self.prepared = prepared
        self.prepare = prepare
        self.all = [prepared.worker]

    def perform(self, request: str, *arguments: Any) -> Any:
        """Carry out a request of a check (see `WorkerClient.perform`)."""
        if request != "again":
            return self.prepared.worker.perform(request, *arguments)
        self.close()
        allowance = self.allowance
        self.prepared = self.prepare()
        self.prepared.worker.allowance = allowance
        self.all.append(self.prepared.worker)
        self.prepared.finish()
        return None

    @property
    def allowance(self) -> Allowance:
        """What they may cost the grader, all together."""
        return self.prepared.worker.allowance

    def close(self) -> None:
        """End them all."""
        for worker in self.all:
            worker.close()

    def account(self, unit: str) -> float:
        """Return what they took: "cpu_s" together, "memory_mb" at most."""
        amounts = [worker.account(unit) for worker in self.all]
        return max(amounts) if unit == "memory_mb" else sum(amounts)


@dataclass
class Attempt:
    """One run of a task's checks."""

    workers: Workers
    checks: list[tuple[Check, Outcome]] = field(default_factory=list)
    cell_errors: dict[str, StudentError] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Share of the task's points earned, from 0 to 1. A violation earns nothing."""
        if self.violated:
            return 0.0
        total = sum(check.weight for check, _ in self.checks)
        return sum(check.weight for check, outcome in self.checks if outcome.passed) / total

    @property
    def violated(self) -> bool:
        """Whether the code tried what only an attack does."""
        return any(outcome.status is Status.VIOLATION for _, outcome in self.checks)

    @property
    def ended(self) -> bool:
        """Whether the worker was gone before the last check was done."""
        return any(outcome.ended for _, outcome in self.checks)

    def status(self, task: Task) -> Status:
        """Sum the attempt up in one word."""
        kinds = {outcome.status for _, outcome in self.checks}
        own = [self.cell_errors[cell] for cell in task.code_cells if cell in self.cell_errors]
        if self.share < 1 and any(error.limit for error in own):
            kinds.add(Status.LIMIT)
        for status in WORST_FIRST:
            if status in kinds:
                return status
        if kinds == {Status.PASSED}:
            return Status.PASSED
        return Status.PARTIAL if self.share > 0 else Status.FAILED

    def failures(self) -> list[tuple[Check, Outcome]]:
        """Return the checks that did not pass."""
        return [(check, outcome) for check, outcome in self.checks if not outcome.passed]

    def results(self) -> list[CheckResult]:
        """Say for staff how each check went."""
        return [
            CheckResult(
                check.key, check.title, o.status, o.message, o.detail, o.ended, o.asked, o.again
            )
            for check, o in self.checks
        ]

    def add(self, second: Attempt, earlier: Iterable[Task], at_fault: bool) -> None:
        """Take over a second run of the checks that failed, if it has anything new to say.

        Then all of it: what still fails there fails without the earlier tasks' faults. Else only
        what failed in a cell of an earlier task the first time, and, if one of them lost points,
        what a check says of answers: the second one names its own fault. An error there may be that
        something is missing which an earlier cell defines.

        Args:
            earlier: the tasks whose cells the second run did without.
            at_fault: whether one of them lost points.
        """
        cells = {cell for task in earlier for cell in task.code_cells}
        second.workers.all += self.workers.all  # both were paid for
        self.workers = second.workers
        again = {check.key: replace(outcome, again=True) for check, outcome in second.checks}
        if {outcome.status for _, outcome in second.checks} & TELLING:
            self.cell_errors = second.cell_errors
        else:
            own = {c.key for c, first in self.failures() if not first.stopped_in(cells)}
            told = {key for key, one in again.items() if at_fault and one.transcript}
            told -= {key for key, one in again.items() if one.is_error}
            again = {key: one for key, one in again.items() if key in told or key not in own}
        self.checks = [(check, again.get(check.key, first)) for check, first in self.checks]


def make_attempt(
    workers: Workers,
    session: CheckSession,
    order: Order,
    checks: list[Check],
    names: frozenset[str],
    weights: HandedIn | None,
) -> Attempt:
    """Run checks on a prepared worker; those after its end share the end.

    Args:
        names: that the task's source mentions.
        weights: that were handed in, if the assignment asks for any.
    """
    attempt = Attempt(workers)
    end: Outcome | None = None
    try:
        attempt.cell_errors = workers.prepared.finish()
    except (StudentError, LimitReached, Violation, Crashed) as error:
        end = outcome_of(error)
    subject = Subject(Student(workers.perform), lambda: names, weights, workers.allowance)
    for check in checks:
        cheap = [one for one, _ in attempt.failures() if not one.costly]
        spared = order.sparing and check.costly and bool(cheap)
        if end is None and (spared or check.key in order.passing):
            outcome = Outcome(Status.PASSED, asked=False)
        else:
            outcome = end or session.run(check, subject)
        if outcome.ended:
            end = outcome
        attempt.checks.append((check, outcome))
    return attempt
