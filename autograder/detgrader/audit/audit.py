"""Test the checks: the reference must earn everything, the stub nothing, each mutant
must lose points of its own task and keep all others', and each variant keep all.

What is known from earlier audits and has not changed is not graded again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from detgrader.assignment import load_assignment
from detgrader.audit.cases import Case, CaseBuilder, Kind, Selection
from detgrader.audit.inputs import Inputs
from detgrader.audit.ledger import Errand, Ledger
from detgrader.audit.reuse import Store
from detgrader.audit.verdicts import Audit, Difference
from detgrader.classroom.batch import OnResult, grade_batch
from detgrader.classroom.job import known_mistakes
from detgrader.course import Course
from detgrader.grading.results import SubmissionResult
from detgrader.grading.session import CheckSession, run_session
from detgrader.grading.stand_ins import load_stand_ins
from detgrader.grading.tasks import TaskChecks

# An audit is no grading: with inputs that are always the same, its results can be reused.
SECRET = "audit"

Progress = Callable[[int], AbstractContextManager[OnResult]]


@dataclass(frozen=True)
class Request:
    """What is asked of an audit.

    Attributes:
        secrets: from which the checks draw their inputs, one after the other.
        fresh: whether nothing of earlier audits is used.
        jobs: submissions graded side by side.
    """

    selection: Selection = field(default_factory=Selection)
    secrets: tuple[str, ...] = (SECRET,)
    fresh: bool = False
    jobs: int = 1


def several(secret: str, count: int) -> tuple[str, ...]:
    """Return some secrets, always the same ones, of which the given one is the first."""
    return (secret, *(f"{secret} {number}" for number in range(2, count + 1)))


def results_file(course: Course, week: str) -> Path:
    """Return where an audit's results are kept for the next."""
    return course.root / "out" / "audit" / f"{week}.json"


def run_audit(course: Course, week: str, request: Request, progress: Progress) -> Audit:
    """Audit a week's checks.

    Args:
        progress: shows how far the grading is; called with the number of submissions to grade.
    """
    assignment = load_assignment(course, week)
    checks = collect_checks(course, week)
    inputs = Inputs(course, assignment, checks, known_mistakes(course, assignment))
    builder = CaseBuilder(course, inputs, load_stand_ins(course.checks(week)))
    cases = builder.build(request.selection)
    store = Store(results_file(course, week))
    if request.selection == Selection():
        store.forget_all_but(case.key for case in cases)
    ledgers = [Ledger(store, inputs, secret, request.fresh) for secret in request.secrets]
    for ledger in ledgers:
        grade_what_is_missing(course, week, cases, ledger, request, progress)
    audit = verdicts_with(ledgers[0], week, cases)
    audit.left_out = builder.left_out
    for ledger in ledgers[1:]:
        add_secret(audit, ledger, cases)
    return audit


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
            with progress(len(errands)) as on_result:
                grade_errands(course, week, errands, ledger, request.jobs, on_result)
    finally:
        ledger.store.write()


def grade_errands(
    course: Course,
    week: str,
    errands: Sequence[Errand],
    ledger: Ledger,
    jobs: int,
    on_result: OnResult,
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


def add_secret(audit: Audit, ledger: Ledger, cases: Sequence[Case]) -> None:
    """Add how submissions fare with one more secret.

    What must be right with every secret is a problem where it is not; a mutant may be caught by a
    chance that is not there each time, and so it is reported where it fares otherwise.
    """
    other = verdicts_with(ledger, audit.week, cases)
    audit.secrets += 1
    audit.graded += other.graded
    audit.reused += other.reused
    for first, verdict in zip(audit.verdicts, other.verdicts, strict=True):
        if verdict.case.kind is not Kind.MUTANT:
            audit.problems += [replace(one, secret=ledger.secret) for one in verdict.problems]
        for label, record in verdict.records.items():
            before = first.records[label].result.score
            if record.result.score != before:
                scores = before, record.result.score
                audit.differences.append(Difference(verdict.case, label, ledger.secret, scores))
