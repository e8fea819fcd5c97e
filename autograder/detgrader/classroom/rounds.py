"""A round of grading: what must be graded, what is reused; each result is kept at once."""

from __future__ import annotations

import difflib
import functools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from detgrader.assignment import Assignment
from detgrader.classroom.basis import WORDS, basis_of, handed_in
from detgrader.classroom.batch import grade_batch
from detgrader.classroom.kept import Kept, Record
from detgrader.classroom.pool import OnResult, OnStart
from detgrader.classroom.station import Errand
from detgrader.course import Course, CourseError
from detgrader.grading.orders import Order
from detgrader.grading.results import SubmissionResult, refused
from detgrader.intake import Submission

COSTLY = "costly"


@dataclass(frozen=True)
class Request:
    """What is asked of a round.

    Attributes:
        jobs: submissions graded side by side.
        only: students who are graded; all, if it names none.
        regrade: whether what has not changed is graded, too.
        left_out: "costly", if tasks that train or measure for long are left for a later round.
        allow_no_isolation: whether to grade where students' code cannot be confined.
        scheduler: address of a Dask cluster that grades; "local" starts one here; the empty string
            grades without one.
    """

    jobs: int = 1
    only: tuple[str, ...] = ()
    regrade: bool = False
    left_out: str = ""
    allow_no_isolation: bool = False
    scheduler: str = ""


@dataclass
class Plan:
    """What a round has to do.

    Attributes:
        students: all that it is about, in their order.
        to_grade: with the hashes of what was handed in.
        basis: the hashes of what all results hang on, found when they are first asked for.
        reused: students whose results still hold.
        why: by student, why a result is not reused; the empty string for a new one.
    """

    basis: Callable[[], dict[str, str]]
    students: list[str] = field(default_factory=list)
    to_grade: list[tuple[Submission, dict[str, str]]] = field(default_factory=list)
    reused: list[str] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Say what is reused and what is graded for which reason."""
        if not self.reused and not any(self.why.values()):
            return []
        counts = Counter(self.why.values())
        reasons = [f"{count} {reason or 'new'}" for reason, count in counts.items()]
        graded = f"; {len(self.to_grade)} to grade ({', '.join(reasons)})" if reasons else ""
        return [f"{len(self.reused)} unchanged, results reused{graded}"]


def make_plan(
    course: Course,
    week: str,
    submissions: Sequence[Submission],
    kept: Kept,
    request: Request,
    secret: str,
) -> Plan:
    """Say what must be graded.

    Raises:
        CourseError: a student who is asked for has handed nothing in.
    """
    names = [one.student for one in submissions]
    for student in request.only:
        if student not in names:
            close = difflib.get_close_matches(student, names, 3, 0.4)
            like = f"; is it {' or '.join(close)}?" if close else ""
            raise CourseError(f"--only: nothing was handed in by {student!r}{like}")
    # Where nothing was graded yet it is found while the sandbox starts.
    plan = Plan(functools.cache(lambda: basis_of(course, week, secret)))
    for one in submissions:
        if request.only and one.student not in request.only:
            continue
        plan.students.append(one.student)
        own = handed_in(one)
        record = kept.current(one.student)
        reason = why_not(record, plan.basis() | own, request) if record else ""
        if record and not reason:
            plan.reused.append(one.student)
        else:
            plan.to_grade.append((one, own))
            plan.why[one.student] = reason
    return plan


def why_not(record: Record, inputs: dict[str, str], request: Request) -> str:
    """Say why a result is not reused, or nothing if it is."""
    changed = [WORDS[key] for key in inputs if record.inputs.get(key) != inputs[key]]
    if request.regrade:
        return "asked for"
    if changed:
        return f"for {changed[0]}"
    if not (record.result.graded or record.result.error) or not inputs["notebook"]:
        return "not graded before"
    if record.left_out and record.left_out != request.left_out:
        return "for what was left out"
    if record.result.isolation == "none" and not request.allow_no_isolation:
        return "graded without a sandbox before"
    return ""


def grade_round(
    course: Course,
    assignment: Assignment,
    plan: Plan,
    kept: Kept,
    request: Request,
    on_result: OnResult,
    on_start: OnStart,
) -> None:
    """Grade what a plan says, and keep each result as soon as it is there.

    Raises:
        CannotKeep: a result cannot be written.
        NoIsolation, CourseError, SandboxError: see `grade_batch`.
    """
    own = {one.student: hashes for one, hashes in plan.to_grade}
    texts = {one.student: one.texts for one, _ in plan.to_grade}

    def keep(result: SubmissionResult) -> None:
        student = result.student
        kept.keep(plan.basis() | own[student], request.left_out, result, texts[student])
        on_result(result)

    sound = [one for one, _ in plan.to_grade if not one.refusal]
    for one, _ in plan.to_grade:
        if one.refusal:  # nothing of it will run
            keep(refused(one, assignment))
    if not sound:
        return
    without_costly = request.left_out == COSTLY

    def orders(_: Assignment) -> list[Order]:
        plan.basis()  # before anybody can change it
        return [Order(one, without_costly=without_costly) for one in sound]

    if request.scheduler:
        from detgrader.classroom.cluster import grade_on_cluster  # an extra: may not be there

        about = Errand(assignment.name, kept.secret, plan.basis(), request.allow_no_isolation)
        grade_on_cluster(
            request.scheduler, request.jobs, assignment, orders(assignment), about, keep, on_start
        )
        return
    grade_batch(
        course,
        assignment.name,
        orders,
        min(request.jobs, len(sound)),
        secret=kept.secret,
        allow_no_isolation=request.allow_no_isolation,
        on_result=keep,
        on_start=on_start,
    )
