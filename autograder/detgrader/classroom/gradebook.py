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
from typing import Any

from detgrader.assignment import Assignment, Task
from detgrader.classroom.kept import file_name, read_json, told_if_it_fails
from detgrader.classroom.shown import HASHES, shown
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

    Args:
        folder: the course's; it is made where there is none.
        course: whose release is graded.
        assignment: the week.

    Raises:
        CourseError: it cannot be used.
    """

    def __init__(self, folder: Path, course: Course, assignment: Assignment):
        self.course = course
        self.assignment = assignment
        self.week = assignment.name
        self.folder = folder.absolute()
        with told_if_it_fails(folder):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not (self.folder / CONFIG).exists():
                write_text(self.folder / CONFIG, OURS.format(name=self.folder.name))
        self.directory = directory_of(self.folder)
        self.address = self.directory.db_url, self.directory.course_id

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
        """Return what persons gave in formgrader, by student and task or check.

        Returns:
            None where the gradebook has an answer that nobody has marked.
        """
        from nbgrader.api import MissingEntry

        found: dict[tuple[str, str], Mark | None] = {}
        with self.opened() as database:
            for student in students:
                hashes = read_hashes(self.place(student))
                try:
                    told = database.find_submission_notebook(
                        self.week, self.week, student_id(student)
                    )
                except MissingEntry:
                    continue
                comments = {one.name: one.manual_comment or "" for one in told.comments}
                grades = {one.name: one for one in told.grades}
                for task in self.assignment.tasks:
                    for key, cell in cells_of(task):
                        if cell in grades and key in hashes:
                            found[student, key] = mark_of(
                                grades[cell],
                                comments.get(comment_cell(task, cell), ""),
                                hashes[key],
                            )
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
            CourseError: the gradebook refuses; its database cannot be read or written.
            CannotKeep: a notebook cannot be written.
        """
        release = self.course.release(self.week).read_text("utf-8")
        self.write_release(release)
        for found, _ in results:
            place = self.place(found.student)
            texts, hashes = marks.texts(found.student), marks.hashes(found.student)
            notebook = shown(found, release, texts, hashes)
            with told_if_it_fails(place):
                place.parent.mkdir(parents=True, exist_ok=True)
                write_text(place, notebook, mode=0o600)
        with self.opened() as database:
            for found, final in results:
                name = student_id(found.student)
                database.update_or_create_student(name, last_name=found.student)
                about = {"timestamp": told_time(times.get(found.student))}
                handed_in = database.update_or_create_submission(self.week, name, **about)
                (notebook,) = handed_in.notebooks
                self.fill(notebook, found, final, marks)
            database.db.commit()

    def write_release(self, release: str) -> None:
        """Tell the gradebook of the week's cells, their points, and that there is such a week."""
        import nbformat
        from nbgrader.preprocessors import SaveCells

        # Formgrader lists the weeks that have a source. Where nbgrader has made none, ours will do.
        place = Path(self.directory.format_path(self.directory.source_directory, ".", self.week))
        if not place.exists():
            with told_if_it_fails(place):
                place.mkdir(parents=True)
                write_text(place / f"{self.week}.ipynb", release)
        about = {"notebook": self.week, "assignment": self.week, "db_url": self.address[0]}
        with self.opened() as database:
            database.update_or_create_assignment(self.week)
            try:
                saver = SaveCells()
                saver.log.setLevel(logging.ERROR)
                saver.preprocess(nbformat.reads(release, as_version=4), {"nbgrader": about})
            except RuntimeError as error:  # the release has other cells than what was marked
                raise CourseError(
                    f"{self.folder}: {error}: the release has changed since; name another folder"
                ) from None

    def fill(
        self, notebook: Any, found: SubmissionResult, final: SubmissionResult, marks: Marks
    ) -> None:
        """Fill a student's grades and comments in."""
        grades = {one.name: one for one in notebook.grades}
        comments = {one.name: one for one in notebook.comments}
        for task, result in zip(self.assignment.tasks, found.tasks, strict=True):
            for key, cell in cells_of(task):
                if cell not in grades:
                    continue
                mark = marks.mark(found.student, key)
                grades[cell].manual_score = mark.points if mark else None
                grades[cell].extra_credit = None  # it is among the points of the mark
                grades[cell].auto_score = auto_score(key == task.label, result)
                known = grades[cell].manual_score is not None or grades[cell].auto_score is not None
                grades[cell].needs_manual_grade = not known
                if (comment := comments.get(comment_cell(task, cell))) is not None:
                    comment.auto_comment = result.message or None
                    comment.manual_comment = (mark.comment or None) if mark else None
        notebook.late_submission_penalty = (final.score or 0) - (final.final_score or 0)


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


def cells_of(task: Task) -> Iterator[tuple[str, str]]:
    """Yield the cells of a task that have points: what a mark of them is known by, and the cell.

    A written answer's marks are known by the task, a person's corrections by the check's cell.
    """
    if task.points:
        yield check_id(task.label), check_id(task.label)
    if task.manual_points:
        yield task.label, task.text_cells[0]


def comment_cell(task: Task, cell: str) -> str:
    """Return the answer cell beside which nbgrader shows a comment on a cell."""
    return task.code_cells[0] if cell == check_id(task.label) and task.code_cells else cell


def mark_of(grade: Any, comment: str, answer: str) -> Mark | None:
    """Return what a person gave, if anything was given."""
    if grade.manual_score is None and grade.extra_credit is None:
        return Mark(None, comment, answer) if comment else None
    points = grade.manual_score if grade.manual_score is not None else grade.auto_score or 0.0
    return Mark(float(points + (grade.extra_credit or 0.0)), comment, answer)


def auto_score(written: bool, result: TaskResult) -> float | None:
    """Return what the grader gives for a cell; None where a person must decide."""
    if written:
        return None if result.pending_manual or result.score is None else 0.0
    return result.score


def read_hashes(path: Path) -> dict[str, str]:
    """Return the hashes of the answers that a notebook shows, as they were written into it."""
    metadata = read_json(path).get("metadata")
    hashes = metadata.get(HASHES) if isinstance(metadata, dict) else None
    return hashes if isinstance(hashes, dict) else {}


def told_time(at: datetime.datetime | None) -> str | None:
    """Return a time as nbgrader takes it."""
    return at.astimezone(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at else None
