"""The one model of results; every output is written from it."""

import json
import os
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

SCHEMA = 1
Status = Literal[
    *("passed", "partial", "failed", "not_attempted", "limit"),
    *("violation", "manual", "skipped", "grader_error"),
]


@dataclass
class TaskResult:
    """How one task was answered; `message` may be shown to the student.

    Attributes:
        task: label.
        score: points given so far, of `max_score`.
        pending_manual: points that a person has yet to give or refuse.
        seconds: processor time of the student's code.
    """

    task: str
    title: str
    score: float
    max_score: float
    status: Status
    message: str = ""
    seconds: float = 0.0
    pending_manual: float = 0.0


@dataclass
class SubmissionResult:
    """One student's results.

    Attributes:
        error: why nothing could be graded, or the empty string.
        log: lines for staff: violations, edits, values that students must not see.
    """

    student: str
    path: str
    notebook_sha256: str | None
    tasks: list[TaskResult]
    error: str = ""
    log: list[str] = field(default_factory=list)

    @property
    def score(self) -> float:
        """Points given so far."""
        return round(sum(task.score for task in self.tasks), 6)

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
        return not self.error and all(task.status != "grader_error" for task in self.tasks)


@dataclass
class BatchResult:
    """The results of one call of the grader."""

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


def submission_json(result: SubmissionResult) -> dict[str, Any]:
    """Return one student's part of `results.json`."""
    return {
        "student": result.student,
        "notebook": result.path,
        "notebook_sha256": result.notebook_sha256,
        "score": result.score,
        "max_score": result.max_score,
        "pending_manual": result.pending_manual,
        "error": result.error,
        "tasks": [asdict(task) for task in result.tasks],
    }


def write_text(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file whole or not at all: into a temporary neighbour, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
