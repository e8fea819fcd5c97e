"""Test the checks, all that they promise.

The reference must earn everything, the stub nothing, each mutant must lose points of its own task
and keep all others', and each variant keep all; junk must earn nothing and break no check, and the
limits must leave room for what is right.

What is known from earlier audits and has not changed is not graded again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from detgrader.assignment import load_assignment
from detgrader.audit import junk, margins, soundness, told
from detgrader.audit.bars import Progress
from detgrader.audit.cases import Case, CaseBuilder, Kind, Selection
from detgrader.audit.inputs import Inputs
from detgrader.audit.ledger import Errand, Ledger
from detgrader.audit.reuse import Store
from detgrader.audit.verdicts import Audit, Difference, Problem
from detgrader.classroom.batch import grade_batch
from detgrader.classroom.job import known_answers
from detgrader.course import Course
from detgrader.grading.results import SubmissionResult
from detgrader.grading.session import CheckSession, run_session
from detgrader.grading.stand_ins import load_stand_ins
from detgrader.grading.tasks import TaskChecks
from detgrader.intake import Submission

# An audit is no grading: with inputs that are always the same, its results can be reused.
SECRET = "audit"


@dataclass(frozen=True)
class Request:
    """What is asked of an audit.

    Attributes:
        secrets: from which the checks draw their inputs, one after the other.
        fresh: whether nothing of earlier audits is used.
        jobs: submissions graded side by side.
        quick: whether only points are asked for: no hints, no words in notebooks, no junk, and no
            tasks that train or measure for long.
    """

    selection: Selection = field(default_factory=Selection)
    secrets: tuple[str, ...] = (SECRET,)
    fresh: bool = False
    jobs: int = 1
    quick: bool = False

    @property
    def whole(self) -> bool:
        """Whether nothing of the week is left out."""
        return not self.quick and self.selection == Selection()


def several(secret: str, count: int) -> tuple[str, ...]:
    """Return some secrets, always the same ones, of which the given one is the first."""
    return (secret, *(f"{secret} {number}" for number in range(2, count + 1)))


def results_file(course: Course, week: str) -> Path:
    """Return where an audit's results are kept for the next."""
    return course.root / "out" / "audit" / f"{week}.json"


def run_audit(course: Course, week: str, request: Request, progress: Progress) -> Audit:
    """Audit a week's checks.

    Args:
        progress: shows how far it is.
    """
    assignment = load_assignment(course, week)
    checks = collect_checks(course, week)
    known = {label: one.all for label, one in known_answers(course, assignment).items()}
    inputs = Inputs(course, assignment, checks, known)
    builder = CaseBuilder(course, inputs, load_stand_ins(course.checks(week)), not request.quick)
    cases = builder.build(request.selection)
    labels = {request.selection.task} - {""} or set(builder.graded)
    labels -= builder.left_out.keys()
    with_junk = not (request.quick or request.selection.only)
    if with_junk:
        cases += junk.cases(builder, labels)
    store = Store(results_file(course, week))
    if request.whole:
        store.forget_all_but(case.key for case in cases)
    audits = []
    for secret in request.secrets:
        # Points are what other secrets may change.
        hints = secret == request.secrets[0] and not request.quick
        ledger = Ledger(store, inputs, secret, request.fresh, hints)
        grade_what_is_missing(course, week, cases, ledger, request, progress)
        audits.append(verdicts_with(ledger, week, cases))
        # With one secret is enough: it would take long with each.
        cases = [case for case in cases if case.kind is not Kind.JUNK]
    audit = audits[0]
    audit.left_out = builder.left_out
    audit.quick = request.quick
    for secret, other in zip(request.secrets[1:], audits[1:], strict=True):
        add_secret(audit, other, secret)
    audit.problems += margins.problems(audit.verdicts, checks)
    if not request.quick:
        audit.untold = told.find_untold(course, assignment, cases, progress)
        audit.problems += told.find_refused(course, assignment, cases, progress)
    if request.whole:
        audit.problems += told.problems(audit.untold)
    if with_junk:
        audit.problems += find_unsound(inputs, builder.reference, labels, store, request, progress)
    return audit


def find_unsound(
    inputs: Inputs,
    reference: Submission,
    labels: Iterable[str],
    store: Store,
    request: Request,
    progress: Progress,
) -> list[Problem]:
    """Tell junk to checks that were not yet seen to stand it; return what is wrong with them."""
    secret = request.secrets[0]
    every = list(soundness.questions(inputs, reference, sorted(labels), secret))
    if request.whole:
        store.forget_sound(secret, (question.digest for question in every))
    asked = [one for one in every if request.fresh or not store.is_sound(secret, one.digest)]
    found: list[Problem] = []
    if not asked:
        return found
    told = soundness.tell_junk(inputs, reference, asked, secret, request.jobs)
    try:
        with progress(len(asked), "checks to be told junk") as on_result, closing(told):
            for question, faults in told:
                found += soundness.problems(question, faults)
                store.keep_sound(secret, question.digest, not faults)
                on_result(question)
    finally:
        store.write()
    return found


def grade_what_is_missing(
    course: Course,
    week: str,
    cases: Sequence[Case],
    ledger: Ledger,
    request: Request,
    progress: Progress,
) -> None:
    """Grade until every result is known; what one run brings to light may ask for another."""
    try:
        while errands := ledger.errands(cases):
            with progress(len(errands), "to grade") as on_result:
                grade_errands(course, week, errands, ledger, request.jobs, on_result)
    finally:
        ledger.store.write()


def grade_errands(
    course: Course,
    week: str,
    errands: Sequence[Errand],
    ledger: Ledger,
    jobs: int,
    on_result: Callable[[object], None],
) -> None:
    """Grade, and keep each result as it arrives."""
    by_name = {errand.order.submission.student: errand for errand in errands}

    def keep(result: SubmissionResult) -> None:
        ledger.take(by_name[result.student], result)
        on_result(result)

    grade_batch(
        course,
        week,
        lambda assignment: [errand.order for errand in errands],
        min(jobs, len(errands)),
        secret=ledger.secret,
        on_result=keep,
    )


def collect_checks(course: Course, week: str) -> dict[str, TaskChecks]:
    """Collect a week's hidden checks, by task label."""
    found: dict[str, TaskChecks] = {}

    def keep(session: CheckSession) -> None:
        found.update(session.tasks)

    run_session(course.checks(week), "", keep)
    return found


def verdicts_with(ledger: Ledger, week: str, cases: Sequence[Case]) -> Audit:
    """Judge all submissions with one secret."""
    verdicts = [ledger.verdict(case) for case in cases]
    labels = {label for verdict in verdicts for label in verdict.records}
    pairs = {(case.key, label) for case in cases for label in case.asked}
    return Audit(
        week=week,
        points={label: points for label, points in ledger.points.items() if label in labels},
        verdicts=verdicts,
        problems=[problem for verdict in verdicts for problem in verdict.problems],
        graded=len(pairs & ledger.made),
        reused=len(pairs - ledger.made),
    )


def add_secret(audit: Audit, other: Audit, secret: str) -> None:
    """Add how submissions fare with one more secret.

    What must be right with every secret is a problem where it is not; a mutant may be caught by a
    chance that is not there each time, and so it is reported where it fares otherwise.
    """
    audit.secrets += 1
    audit.graded += other.graded
    audit.reused += other.reused
    before = {verdict.case.key: verdict for verdict in audit.verdicts}
    for verdict in other.verdicts:
        if verdict.case.kind is not Kind.MUTANT:
            audit.problems += [replace(one, secret=secret) for one in verdict.problems]
        for label, record in verdict.records.items():
            first = before[verdict.case.key].records[label].result.earned
            if record.result.earned != first:
                scores = first, record.result.earned
                audit.differences.append(Difference(verdict.case, label, secret, scores))
