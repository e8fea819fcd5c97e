"""What is known of an audit's submissions, and what must still be graded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from detgrader.audit import margins
from detgrader.audit.cases import Case, Kind
from detgrader.audit.inputs import Inputs
from detgrader.audit.reuse import Record, Store, keys_of
from detgrader.audit.verdicts import MEASURED, Problem, Verdict, problem_in
from detgrader.fingerprints import digest
from detgrader.grading.orders import Order
from detgrader.grading.results import CheckResult, SubmissionResult


@dataclass(frozen=True)
class Errand:
    """An order, and which tasks of which submission it is for."""

    case: Case
    labels: tuple[str, ...]
    order: Order


class Ledger:
    """Keeps results, and says which of them still hold.

    Args:
        store: the results of earlier audits.
        secret: from which the checks draw their inputs.
        fresh: whether these are not to be used.
        hints: whether wrong answers are compared with known mistakes.
    """

    def __init__(
        self, store: Store, inputs: Inputs, secret: str, fresh: bool = False, hints: bool = True
    ):
        self.store = store
        self.secret = secret
        self.inputs = inputs
        self.fresh = fresh
        self.hints = hints
        self.points = {task.label: task.points for task in inputs.assignment.tasks}
        self.made: set[tuple[str, str]] = set()

    def record(self, case: Case, label: str) -> Record | None:
        """Return a submission's result in a task, if it still holds."""
        record = self.known(case, label)
        if record is None or record.inputs != self.inputs_of(case, label):
            return None
        if record.digests != self.inputs.of_checks[label]:
            return None
        hints_matter = self.hints and case.kind is Kind.MUTANT and record.failures
        if hints_matter and record.mistakes != self.inputs.of_mistakes[label]:
            return None
        if keys_of(self.assumed(record, label)) & case.asked[label]:
            return None
        if (case.key, label) in self.made:
            return record
        # What failed is looked at again, and what took long: it may have been the machine's fault.
        if self.problem(case, label, record) or self.took_long(case, label, record):
            return None
        return record

    def took_long(self, case: Case, label: str, record: Record) -> bool:
        """Say whether an accepted solution took too large a part of a task's limits."""
        checks = self.inputs.checks[label]
        near = any(
            margins.too_near(mark, taken, checks) for mark, taken in margins.taken_by(record)
        )
        return near and case.kind in MEASURED and label == (case.task or label)

    def problem(self, case: Case, label: str, record: Record) -> Problem | None:
        """Say what is wrong with a result, or nothing."""
        return problem_in(case, label, record, self.points[label])

    def known(self, case: Case, label: str) -> Record | None:
        """Return a result that may be used, if it holds."""
        if self.fresh and (case.key, label) not in self.made:
            return None
        return self.store.get(self.secret, case.key, label)

    def assumed(self, record: Record, label: str) -> list[CheckResult]:
        """Return the checks that were taken to pass as with the reference.

        Costly ones that were spared, since a cheap one had failed already, are none of them.
        """
        costly = {check.key for check in self.inputs.checks[label].checks if check.costly}
        spared = costly if keys_of(record.failures) - costly else set()
        return [one for one in record.checks if not one.asked and one.key not in spared]

    def inputs_of(self, case: Case, label: str) -> str:
        """Hash what a submission's result in a task depends on."""
        return digest(
            self.secret, self.inputs.of_result(case.submission, label, self.ended(case, label))
        )

    def ended(self, case: Case, label: str) -> frozenset[str]:
        """Return the cells that ended their worker in a task before this one."""
        earlier = list(case.asked)[: list(case.asked).index(label)]
        return frozenset(
            cell
            for one in earlier
            if (record := self.known(case, one)) and record.ended
            for cell in self.inputs.cells[one]
        )

    def passing(self, case: Case, label: str) -> frozenset[str]:
        """Return the checks of a task that need not be run."""
        if case.kind in MEASURED and label == (case.task or label):
            return frozenset()
        digests = self.inputs.of_checks[label]
        untouched = digests.keys() - case.asked[label]
        record = self.known(case, label)
        before: frozenset[str] = frozenset()
        # Where hints are wanted for the first time, what passed must speak against mistakes, too.
        if record and (record.mistakes or not self.hints):
            before = record.passed_before(self.inputs_of(case, label), digests)
        return frozenset(untouched) | before

    def verdict(self, case: Case) -> Verdict:
        """Judge a submission whose results are all known."""
        records = {
            label: record for label in case.asked if (record := self.known(case, label)) is not None
        }
        found = [self.problem(case, label, record) for label, record in records.items()]
        return Verdict(case, records, [problem for problem in found if problem])

    def errands(self, cases: Iterable[Case]) -> list[Errand]:
        """Return what must be graded, the longest first, so that no core is idle in the end."""
        found = [errand for case in cases for errand in self.errands_of(case)]
        return sorted(found, key=self.seconds, reverse=True)

    def errands_of(self, case: Case) -> Iterator[Errand]:
        """Yield what of a submission must be graded: of the reference each task by itself."""
        labels = [label for label in case.asked if self.record(case, label) is None]
        apart = case.kind is Kind.REFERENCE
        for some in [[label] for label in labels] if apart else [labels] * bool(labels):
            submission = replace(case.submission, student=f"{case.key} {some[0]}")
            own = {cell for label in some for cell in self.inputs.cells[label]}
            order = Order(
                submission,
                only=frozenset(some),
                ended=self.ended(case, some[-1]) - own,
                passing=frozenset().union(*(self.passing(case, label) for label in some)),
                once=frozenset({case.task} if case.alone else ()),
                sparing=case.kind is Kind.MUTANT,
                hints=self.hints and case.kind is not Kind.JUNK,
                bucket=0,
            )
            yield Errand(case, tuple(some), order)

    def seconds(self, errand: Errand) -> float:
        """Guess how long something will take: as long as the last time, else as it may at most.

        Junk fails at once, mostly.
        """
        return sum(
            record.result.seconds
            if (record := self.store.get(self.secret, errand.case.key, label))
            else self.inputs.checks[label].limits.cpu_s * (errand.case.kind is not Kind.JUNK)
            for label in errand.labels
        )

    def take(self, errand: Errand, result: SubmissionResult) -> None:
        """Keep what came of an errand."""
        by_label = {task.task: task for task in result.tasks}
        for label in errand.labels:
            passed = self.passed_before(errand.case, label)
            checks = [
                replace(one, asked=one.asked or one.key in passed)
                for one in result.checks.get(label, ())
            ]
            record = Record(
                self.inputs_of(errand.case, label),
                self.inputs.of_mistakes[label] if self.hints else "",
                self.inputs.of_checks[label],
                by_label[label],
                checks,
                detail="" if checks else "\n".join(result.log),
            )
            self.made.add((errand.case.key, label))
            self.store.keep(self.secret, errand.case.key, label, record)

    def passed_before(self, case: Case, label: str) -> frozenset[str]:
        """Return the checks that an earlier audit saw pass."""
        record = self.known(case, label)
        if record is None:
            return frozenset()
        return record.passed_before(self.inputs_of(case, label), self.inputs.of_checks[label])
