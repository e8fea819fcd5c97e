"""The one model of results; every output is written from it."""

import datetime
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from detgrader.assignment import Assignment, Task
from detgrader.intake import Submission

SCHEMA = 1
UNGRADED = "This could not be graded; the fault is not yours. Staff have been told."


class Status(StrEnum):
    """How a check or a task went; a check never has one of the last four of `Status`' values."""

    PASSED = "passed"
    FAILED = "failed"
    LIMIT = "limit"
    VIOLATION = "violation"
    GRADER_ERROR = "grader_error"
    PARTIAL = "partial"
    NOT_ATTEMPTED = "not_attempted"
    MANUAL = "manual"
    SKIPPED = "skipped"


@dataclass
class TaskResult:
    """How one task was answered; `message` may be shown to the student.

    Attributes:
        task: label.
        score: points given so far, of `max_score`; None where that is not known, which is no zero.
        pending_manual: points that a person has yet to give or refuse.
        seconds: processor time of the student's code.
        memory_mb: MiB that it took at most, beside the libraries; for staff, and in no output.
    """

    task: str
    title: str
    score: float | None
    max_score: float
    status: Status
    message: str = ""
    seconds: float = 0.0
    pending_manual: float = 0.0
    memory_mb: int = 0

    @property
    def earned(self) -> float:
        """Points that are known to be given."""
        return self.score or 0.0

    def as_json(self) -> dict[str, Any]:
        """Return what `results.json` holds of it."""
        return {name: value for name, value in asdict(self).items() if name != "memory_mb"}


@dataclass(frozen=True)
class CheckResult:
    """How one check went, for staff only.

    Attributes:
        key: what it is known by among all checks of its week.
        title: what a student is told that it looks at.
        message: what a student is told of it.
        detail: what no student may see: expected values, or the traceback of a check at fault.
        ended: whether the worker was gone after it.
        asked: whether it was run; staff may know that it passes.
        again: whether this comes from a second run, without the earlier tasks' cells.
    """

    key: str
    title: str
    status: Status
    message: str = ""
    detail: str = ""
    ended: bool = False
    asked: bool = True
    again: bool = False

    @property
    def passed(self) -> bool:
        """Whether it earned its points."""
        return self.status is Status.PASSED


@dataclass(frozen=True)
class Lateness:
    """How late something was handed in, and what that costs.

    Attributes:
        handed_in: when, or None if nobody knows.
        deadline: that held for this student.
        days: that had begun since the deadline, 0 if it was kept.
        percent: of the points that are taken off, from 0 to 100.
        ended: whether the time was over after which nothing counts.
    """

    handed_in: datetime.datetime | None
    deadline: datetime.datetime
    days: int = 0
    percent: float = 0.0
    ended: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return what `results.json` holds of it."""
        return {
            "handed_in": self.handed_in.isoformat() if self.handed_in else None,
            "deadline": self.deadline.isoformat(),
            "days": self.days,
            "percent": self.percent,
            "ended": self.ended,
        }

    def __str__(self) -> str:
        """Say it to a student."""
        if self.handed_in is None:
            return "It is not known when this was handed in, so nothing is taken off."
        if self.ended:
            return "Handed in after the last moment at which anything counts: no points."
        if not self.percent:
            return "Handed in in time."
        return (
            f"Handed in on day {self.days} after the deadline: {self.percent:g} % of the points "
            "are taken off."
        )


@dataclass
class SubmissionResult:
    """One student's results.

    Attributes:
        error: why nothing could be graded, or the empty string.
        weights_sha256: of the weights that were measured, if there are any.
        isolation: what confined the student's code: "bubblewrap" or "none"; empty if none was run.
        checks: by task label, how its checks went; for staff, and in no output for students.
        log: lines for staff: violations, edits, values that students must not see.
        late: how late it was handed in, where there is a rule about that.
    """

    student: str
    path: str
    notebook_sha256: str | None
    tasks: list[TaskResult]
    error: str = ""
    weights_sha256: str | None = None
    isolation: str = ""
    checks: dict[str, list[CheckResult]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    late: Lateness | None = None

    @property
    def score(self) -> float | None:
        """Points given so far; None where those of some task are not known."""
        return None if any(task.score is None for task in self.tasks) else self.earned

    @property
    def earned(self) -> float:
        """Points that are known to be given."""
        return round(sum(task.earned for task in self.tasks), 6)

    @property
    def final_score(self) -> float | None:
        """What is left of the score after what being late costs."""
        if self.score is None or self.late is None:
            return self.score
        return round(self.score * (1 - self.late.percent / 100), 6)

    @property
    def max_score(self) -> float:
        """All points of the assignment."""
        return sum(task.max_score for task in self.tasks)

    @property
    def pending_manual(self) -> float:
        """Points that a person has yet to give or refuse."""
        return sum(task.pending_manual for task in self.tasks)

    @property
    def graded(self) -> bool:
        """Whether everything that can be graded by itself was."""
        return not self.error and all(task.status is not Status.GRADER_ERROR for task in self.tasks)


@dataclass
class BatchResult:
    """The results of one call of the grader.

    Attributes:
        assignment: the week's name.
        isolation: "bubblewrap" or "none".
        submissions: in the order in which they were named.
    """

    assignment: str
    isolation: str
    submissions: list[SubmissionResult]

    def as_json(self) -> dict[str, Any]:
        """Return what `results.json` holds."""
        return {
            "schema": SCHEMA,
            "assignment": self.assignment,
            "isolation": self.isolation,
            "submissions": [submission_json(result) for result in self.submissions],
        }


def points_of(one: TaskResult | SubmissionResult) -> str:
    """Say how many points are given, of how many; or that it is not known."""
    score = "?" if one.score is None else f"{one.score:g}"
    return f"{score} of {one.max_score:g}"


def submission_json(result: SubmissionResult) -> dict[str, Any]:
    """Return one student's part of `results.json`."""
    return {
        "student": result.student,
        "notebook": result.path,
        "notebook_sha256": result.notebook_sha256,
        "weights_sha256": result.weights_sha256,
        "score": result.score,
        "max_score": result.max_score,
        "pending_manual": result.pending_manual,
        "late": result.late.as_json() if result.late else None,
        "final_score": result.final_score,
        "error": result.error,
        "tasks": [task.as_json() for task in result.tasks],
    }


def ungraded(task: Task, status: Status, reason: str) -> TaskResult:
    """Return the result of a task that was not graded: its points are not known, and why."""
    return TaskResult(task.label, task.title, None, task.max_score, status, reason)


def earned_nothing(task: Task, status: Status, reason: str = "") -> TaskResult:
    """Return the result of a task that has no points so far."""
    return TaskResult(task.label, task.title, 0.0, task.max_score, status, reason)


def refused(submission: Submission, assignment: Assignment) -> SubmissionResult:
    """Return the result of a submission of which nothing can be graded."""
    reason = submission.refusal
    return SubmissionResult(
        student=submission.student,
        path=str(submission.path),
        notebook_sha256=submission.sha256,
        tasks=[ungraded(task, Status.SKIPPED, reason) for task in assignment.tasks],
        error=reason,
        log=list(submission.notes),
    )


def lost(submission: Submission, assignment: Assignment, detail: str) -> SubmissionResult:
    """Return the result of a submission that the grader failed to grade.

    Args:
        detail: for staff.
    """
    return SubmissionResult(
        student=submission.student,
        path=str(submission.path),
        notebook_sha256=submission.sha256,
        tasks=[ungraded(task, Status.GRADER_ERROR, UNGRADED) for task in assignment.tasks],
        log=[detail],
    )
