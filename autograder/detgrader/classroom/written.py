"""Written answers: a table of all of them for a person to mark, and the marks that come back.

A mark is known by the student and the task; where a person corrects the points that a task's checks
gave, by the student and the check's cell.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from detgrader.assignment import Assignment, Task
from detgrader.classroom.kept import Kept, read_json, told_if_it_fails
from detgrader.classroom.tables import harmless, number, table_of
from detgrader.course import CourseError
from detgrader.files import Unreadable, read_handed_in, write_json
from detgrader.grading.results import BatchResult, Status, SubmissionResult, TaskResult
from detlab.checking.labels import check_id

HEAD = ("student", "task", "max_points", "points", "comment", "answer")
MAX_BYTES = 256 << 20
# What a mark may turn into another status: it says nothing of violations and the like.
MARKED = (Status.MANUAL, Status.PASSED, Status.PARTIAL, Status.FAILED)


@dataclass(frozen=True)
class Mark:
    """What a person gave.

    Attributes:
        points: None where they only said something.
        answer: hash of what was read, the written answer or the notebook; what has changed since
            waits again.
    """

    points: float | None
    comment: str
    answer: str

    @property
    def says_something(self) -> bool:
        """Whether anything was given or said."""
        return self.points is not None or bool(self.comment)


class Marks:
    """The marks of a class, kept in the class's folder."""

    def __init__(self, kept: Kept, assignment: Assignment):
        self.kept = kept
        self.checks = {task.label: check_id(task.label) for task in assignment.tasks if task.points}
        self.tasks = {task.label: task for task in assignment.tasks if task.manual_points}
        self.given = {
            (kept.called(student), label): Mark(**mark)
            for student, marks in read_json(kept.marks_file).items()
            for label, mark in marks.items()
        }

    def answers(self) -> Iterator[tuple[str, Task, str]]:
        """Yield the written answers that there are: student, task, text."""
        for student in sorted(self.kept.history):
            record = self.kept.current(student)
            pending = (
                {one.task for one in record.result.tasks if one.pending_manual} if record else ()
            )
            for label, task in self.tasks.items():
                if record and label in pending:
                    yield student, task, joined(record.texts, task)

    def texts(self, student: str) -> dict[str, str]:
        """Return a student's written answers by grade id."""
        record = self.kept.current(student)
        return record.texts if record else {}

    def hashes(self, student: str) -> dict[str, str]:
        """Return the hashes of what is marked, by what the mark is known by."""
        texts, record = self.texts(student), self.kept.current(student)
        hashes = {
            label: hash_of(joined(texts, task)) for label, task in self.tasks.items() if record
        }
        if record and record.result.notebook_sha256:
            hashes |= dict.fromkeys(self.checks.values(), record.result.notebook_sha256)
        return hashes

    def mark(self, student: str, key: str) -> Mark | None:
        """Return what was given, if what it was given for has not changed."""
        mark = self.given.get((student, key))
        return mark if mark and mark.answer == self.hashes(student).get(key) else None

    def standing(self, student: str) -> dict[str, Mark]:
        """Return all that may be marked of a student's, with what was given so far."""
        hashes = self.hashes(student)
        return {key: self.mark(student, key) or Mark(None, "", one) for key, one in hashes.items()}

    def take(self, found: Mapping[tuple[str, str], Mark | None]) -> int:
        """Take marks, and keep them; None takes one away. Return how many are others now.

        Raises:
            CannotKeep: they cannot be written.
        """
        before = dict(self.given)
        for key, mark in found.items():
            if mark:
                self.given[key] = mark
            else:
                self.given.pop(key, None)
        kept: dict[str, dict[str, object]] = {}
        for (student, name), mark in self.given.items():
            kept.setdefault(student, {})[name] = asdict(mark)
        with told_if_it_fails(self.kept.marks_file):
            write_json(self.kept.marks_file, kept, mode=0o600)
        keys = before.keys() | self.given.keys()
        return sum(before.get(key) != self.given.get(key) for key in keys)

    def table(self) -> str:
        """Return all written answers as CSV, with the marks that there are."""
        rows = []
        for student, task, answer in self.answers():
            mark = self.mark(student, task.label)
            given = [number(mark.points), mark.comment] if mark else ["", ""]
            row = [student, task.label, number(task.manual_points), *given, answer]
            rows.append([harmless(cell) for cell in row])
        return table_of([HEAD, *rows])

    def take_in(self, path: Path) -> int:
        """Take marks from a table that somebody filled in, and keep them; return how many.

        A line without points waits on.

        Raises:
            CourseError: by line: points that are none or too many, or nobody's answer.
            CannotKeep: they cannot be written.
        """
        answers = {
            (harmless(name), task.label): (name, text) for name, task, text in self.answers()
        }
        found: dict[tuple[str, str], Mark | None] = {}
        for line, cells in filled_lines(path):
            key = cells["student"], cells["task"]
            where = f"{path}:{line}: {key[0]!r}, task {key[1]!r}"
            if key not in answers:
                raise CourseError(f"{where}: there is no such written answer")
            most = self.tasks[key[1]].manual_points
            try:
                points = float(cells["points"].replace(",", "."))
            except ValueError:
                points = -1.0
            if not 0 <= points <= most:
                raise CourseError(f"{where}: {cells['points']!r}: points are from 0 to {most:g}")
            student, text = answers[key]
            found[student, key[1]] = Mark(points, cells["comment"].strip(), hash_of(text))
        self.take(found)
        return len(found)

    def applied(self, batch: BatchResult) -> BatchResult:
        """Return a class's results with the marks in them; those that are kept stay as they are."""
        waiting = {(student, task.label) for student, task, _ in self.answers()}

        def with_marks(result: SubmissionResult) -> SubmissionResult:
            return replace(result, tasks=[final(result.student, one) for one in result.tasks])

        def final(student: str, task: TaskResult) -> TaskResult:
            check = self.checks.get(task.task)
            if check and (mark := self.mark(student, check)):
                task = corrected(task, mark)
            if (student, task.task) in waiting and (mark := self.mark(student, task.task)):
                task = marked(task, mark)
            return task

        return replace(batch, submissions=[with_marks(one) for one in batch.submissions])


def joined(texts: Mapping[str, str], task: Task) -> str:
    """Return a student's written answer to a task."""
    return "\n\n".join(texts.get(cell, "") for cell in task.text_cells).strip()


def corrected(task: TaskResult, mark: Mark) -> TaskResult:
    """Return a task's result with the points that a person gave in place of the checks'."""
    if mark.points is None:
        return replace(task, message="\n".join(filter(None, [task.message, said(mark)])))
    words = f"Corrected by a person to {mark.points:g} points. {mark.comment}".strip()
    message = "\n".join(filter(None, [task.message, words]))
    return replace(with_score(task, mark.points), message=message)


def said(mark: Mark) -> str:
    """Return a person's comment that comes without points."""
    return f"A person says: {mark.comment}"


def marked(task: TaskResult, mark: Mark) -> TaskResult:
    """Return a task's result with a person's points; of an unknown sum they make no known one."""
    if mark.points is None:  # it waits on
        return replace(task, message="\n".join(filter(None, [task.message, said(mark)])))
    words = (
        f"By a person: {mark.points:g} of {task.pending_manual:g} points. {mark.comment}".strip()
    )
    message = "\n".join(filter(None, [task.message, words]))
    if task.score is None:
        return replace(task, pending_manual=0.0, message=message)
    sum_of_both = with_score(task, task.score + mark.points)
    return replace(sum_of_both, pending_manual=0.0, message=message)


def with_score(task: TaskResult, score: float) -> TaskResult:
    """Return a task's result with other points, and the status that goes with them."""
    status = task.status
    if status in MARKED or task.score is None:
        status = Status.FAILED if score <= 0 else Status.PARTIAL
        status = Status.PASSED if score >= task.max_score else status
    return replace(task, score=round(score, 6), status=status)


def filled_lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the lines of a table that have points, with their numbers."""
    try:
        text = read_handed_in(path, MAX_BYTES).decode("utf-8-sig")
    except (Unreadable, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read: {error}") from None
    csv.field_size_limit(MAX_BYTES)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)  # as a spreadsheet of any country saves it
    lines = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restval="")
    if not {"student", "task", "points", "comment"} <= set(lines.fieldnames or ()):
        raise CourseError(f"{path}:1: the first line must name the columns {', '.join(HEAD)}")
    for cells in lines:
        if cells["points"].strip():
            yield lines.line_num, cells


def hash_of(answer: str) -> str:
    """Return a hash of an answer's text."""
    return hashlib.sha256(answer.encode("utf-8", "replace")).hexdigest()
