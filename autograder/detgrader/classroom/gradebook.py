"""nbgrader's gradebook: points go in by nbgrader's own API, a person's marks come back out of it.

A class is written into a folder that nbgrader takes for a course's: tasks with their points, each
student's points and messages, and notebooks where `nbgrader formgrader` looks for them. Nobody's
code runs on the way, and what a notebook shows there is what an honest one would show: text and
pictures, no scripts.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import re
import sysconfig
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from detgrader.assignment import Assignment
from detgrader.classroom.kept import file_name, read_json, told_if_it_fails
from detgrader.classroom.shown import marks_in, shown
from detgrader.classroom.written import Mark, Marks
from detgrader.course import Course, CourseError
from detgrader.files import write_text
from detgrader.grading.results import SubmissionResult, TaskResult
from detlab.checking.labels import check_id

CONFIG = "nbgrader_config.py"
OURS = """\
c = get_config()
c.CourseDirectory.course_id = {name!r}
"""
# Names that are good for a folder, and so for nbgrader, as they are.
PLAIN_NAME = re.compile(r"[\w@()-][\w.@() -]*(?<! )")


class Gradebook:
    """A week in the gradebook of an nbgrader course.

    What formgrader shows holds the marks that stood when it was written. So what a person has done
    since is known from what was there before, and from what came by another way meanwhile.

    Args:
        folder: the course's; it is made where there is none.
        course: whose release is graded.
        assignment: the week.

    Raises:
        CourseError: it cannot be used.
    """

    def __init__(self, folder: Path, course: Course, assignment: Assignment):
        self.assignment = assignment
        self.week = assignment.name
        self.folder = folder.absolute()
        with told_if_it_fails(folder):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not (self.folder / CONFIG).exists():
                write_text(self.folder / CONFIG, OURS.format(name=self.folder.name))
        self.directory = directory_of(self.folder)
        self.address = self.directory.db_url, self.directory.course_id
        self.release = course.release(self.week).read_text("utf-8")
        self.read: dict[tuple[str, str], Mark] = {}
        self.write_release()

    @contextlib.contextmanager
    def opened(self) -> Iterator[Any]:
        """Open the database; whatever it cannot do is told with its name."""
        from nbgrader.api import Gradebook as Database
        from sqlalchemy.exc import SAWarning, SQLAlchemyError

        try:
            with warnings.catch_warnings(), programs_found(), Database(*self.address) as database:
                warnings.simplefilter("ignore", SAWarning)  # of nbgrader's own ways to add rows
                yield database
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise CourseError(f"the gradebook {self.address[0]}: {reason}") from None

    def place(self, student: str) -> Path:
        """Return where nbgrader expects what was graded of a student."""
        told = self.directory.format_path(
            self.directory.autograded_directory, student_id(student), self.week
        )
        return Path(told) / f"{self.week}.ipynb"

    def marks(self, students: Iterable[str]) -> dict[tuple[str, str], Mark | None]:
        """Return what persons did in formgrader since it was written, by student and task or check.

        Returns:
            None where a mark was taken away.
        """
        from nbgrader.api import MissingEntry

        found: dict[tuple[str, str], Mark | None] = {}
        with self.opened() as database:
            for student in students:
                before = marks_in(read_json(self.place(student)))
                try:
                    told = database.find_submission_notebook(
                        self.week, self.week, student_id(student)
                    )
                except MissingEntry:
                    continue
                rows = Rows(told)
                for _, key, cell, beside in cells_of(self.assignment):
                    if key in before and cell in rows.grades:
                        now = rows.mark(cell, beside, before[key].answer)
                        self.read[student, key] = now
                        if now != before[key]:
                            found[student, key] = now if now.says_something else None
        return found

    def write(
        self,
        results: Sequence[tuple[SubmissionResult, SubmissionResult]],
        marks: Marks,
        times: Mapping[str, datetime.datetime],
    ) -> None:
        """Write a class's points, messages and notebooks.

        Args:
            results: of each student, as the grader found it and with what a person gave.
            marks: of the class.
            times: by student, when it was handed in, where that is known.

        Raises:
            CourseError: the database cannot be read or written.
            CannotKeep: a notebook cannot be written.
        """
        with self.opened() as database:
            for found, final in results:
                name = student_id(found.student)
                database.update_or_create_student(name, last_name=found.student)
                about = {"timestamp": told_time(times.get(found.student))}
                handed_in = database.update_or_create_submission(self.week, name, **about)
                (notebook,) = handed_in.notebooks
                self.fill(notebook, found, final, marks)
            database.db.commit()
        # Afterwards: if this ends in between, the next run finds its own marks in the database.
        for found, _ in results:
            place = self.place(found.student)
            texts, standing = marks.texts(found.student), marks.standing(found.student)
            text = shown(found, self.release, texts, standing, before=read_json(place))
            with told_if_it_fails(place):
                place.parent.mkdir(parents=True, exist_ok=True)
                write_text(place, text, mode=0o600)

    def write_release(self) -> None:
        """Tell the gradebook of the week's cells, their points, and that there is such a week."""
        import nbformat
        from nbgrader.preprocessors import SaveCells

        # Formgrader lists the weeks that have a source. Where nbgrader has made none, ours will do.
        place = Path(self.directory.format_path(self.directory.source_directory, ".", self.week))
        if not place.exists():
            with told_if_it_fails(place):
                place.mkdir(parents=True)
                write_text(place / f"{self.week}.ipynb", self.release)
        about = {"notebook": self.week, "assignment": self.week, "db_url": self.address[0]}
        with self.opened() as database:
            database.update_or_create_assignment(self.week)
            try:
                saver = SaveCells()
                saver.log.setLevel(logging.ERROR)
                saver.preprocess(nbformat.reads(self.release, as_version=4), {"nbgrader": about})
            except RuntimeError as error:  # the release has other cells than what was marked
                raise CourseError(
                    f"{self.folder}: {error}: the release has changed since; name another folder"
                ) from None

    def fill(
        self, notebook: Any, found: SubmissionResult, final: SubmissionResult, marks: Marks
    ) -> None:
        """Fill a student's grades and comments in; what a person did this very moment stays."""
        rows = Rows(notebook)
        results = {task.task: task for task in found.tasks}
        for label, key, cell, beside in cells_of(self.assignment):
            if cell not in rows.grades:
                continue
            result = results[label]
            grade, comment = rows.grades[cell], rows.comments.get(beside)
            grade.auto_score = auto_score(key != cell, result)
            if comment is not None:
                comment.auto_comment = result.message or None
            read = self.read.get((found.student, key))
            if read is None or rows.mark(cell, beside, read.answer) == read:
                rows.set(cell, beside, marks.mark(found.student, key))
            known = grade.manual_score is not None or grade.auto_score is not None
            grade.needs_manual_grade = not known
        notebook.late_submission_penalty = (final.score or 0) - (final.final_score or 0)


class Rows:
    """A student's grades and comments, as nbgrader has them, by cell."""

    def __init__(self, notebook: Any):
        self.grades = {one.name: one for one in notebook.grades}
        self.comments = {one.name: one for one in notebook.comments}

    def mark(self, cell: str, beside: str, answer: str) -> Mark:
        """Return what a person gave for a cell, with the comment beside it."""
        grade, comment = self.grades[cell], self.comments.get(beside)
        said = (comment.manual_comment or "") if comment is not None else ""
        if grade.manual_score is None and grade.extra_credit is None:
            return Mark(None, said, answer)
        points = grade.manual_score if grade.manual_score is not None else grade.auto_score or 0.0
        return Mark(float(points + (grade.extra_credit or 0.0)), said, answer)

    def set(self, cell: str, beside: str, mark: Mark | None) -> None:
        """Write what a person gave, or that nobody gave anything."""
        grade, comment = self.grades[cell], self.comments.get(beside)
        grade.manual_score = mark.points if mark else None
        grade.extra_credit = None  # it is among the points of the mark
        if comment is not None:
            comment.manual_comment = (mark.comment or None) if mark else None


@contextlib.contextmanager
def programs_found() -> Iterator[None]:
    """Let nbgrader find `alembic`, which it calls by its name, where no environment is active."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), before])
    try:
        yield
    finally:
        os.environ["PATH"] = before


def directory_of(folder: Path) -> Any:
    """Return nbgrader's view of a course's folder, as its own configuration has it."""
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config.loader import ConfigFileNotFound, PyFileConfigLoader

    try:
        config = PyFileConfigLoader(CONFIG, path=str(folder)).load_config()
    except ConfigFileNotFound:
        raise CourseError(f"{folder / CONFIG} cannot be read") from None
    except Exception as error:  # it is the staff's own Python
        raise CourseError(f"{folder / CONFIG}: {type(error).__name__}: {error}") from None
    return CourseDirectory(config=config, root=str(folder))


def student_id(student: str) -> str:
    """Return what nbgrader knows a student by, which is a folder's name as well."""
    return student if PLAIN_NAME.fullmatch(student) else file_name(student)


class Graded(NamedTuple):
    """A cell that has points.

    Attributes:
        label: of its task.
        key: what marks are known by: of a written answer the task, of a check's points, which a
            person may correct, the check's cell.
        cell: its grade id.
        beside: the answer cell beside which nbgrader shows a comment.
    """

    label: str
    key: str
    cell: str
    beside: str


def cells_of(assignment: Assignment) -> Iterator[Graded]:
    """Yield the cells that have points."""
    for task in assignment.tasks:
        if task.points:
            check = check_id(task.label)
            yield Graded(task.label, check, check, (*task.code_cells, check)[0])
        if task.manual_points:
            yield Graded(task.label, task.label, task.text_cells[0], task.text_cells[0])


def auto_score(written: bool, result: TaskResult) -> float | None:
    """Return what the grader gives for a cell; None where a person must decide."""
    if written:
        return None if result.pending_manual or result.score is None else 0.0
    return result.score


def told_time(at: datetime.datetime | None) -> str | None:
    """Return a time as nbgrader takes it."""
    return at.astimezone(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at else None
