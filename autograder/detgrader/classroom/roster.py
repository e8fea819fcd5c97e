"""The list of a class, as a CSV file of any platform: who there is, and who a name belongs to."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from detgrader.course import CourseError
from detgrader.files import Unreadable, read_handed_in
from detgrader.intake import readable

MAX_BYTES = 16 << 20
# Columns that name a student, in order of preference; without one of them it is the first.
STUDENT = ("student", "full name", "email address", "identifier", "sis login id")
# Rows of Canvas's gradebook that are no student's.
POSSIBLE = "points possible"
NO_STUDENTS = (POSSIBLE, "student, test")


@dataclass(frozen=True)
class Row:
    """A student of the class.

    Attributes:
        student: what all outputs call them.
        cells: the whole row, by column.
    """

    student: str
    cells: dict[str, str]


@dataclass
class Roster:
    """The students of a class, found by whatever a platform knows them by.

    Attributes:
        possible: Canvas's row of what each column can give, if there is one.
    """

    path: Path
    columns: list[str]
    rows: list[Row]
    possible: dict[str, str] = field(default_factory=dict)
    by_cell: dict[str, set[str]] = field(default_factory=dict)
    by_name: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.rows:
            for cell in row.cells.values():
                self.by_cell.setdefault(cell.strip().casefold(), set()).add(row.student)
            for name in names_in(row.cells.values()):
                self.by_name.setdefault(name, set()).add(row.student)

    def student(self, names: Iterable[str]) -> str | None:
        """Return the one student that one of these names or numbers belongs to, or None."""
        names = [name for name in names if name.strip()]
        for known, form in ((self.by_cell, str.casefold), (self.by_name, squashed)):
            for name in names:
                found = known.get(form(name.strip()), set())
                if len(found) == 1:
                    return next(iter(found))
        return None

    def missing(self, students: Iterable[str]) -> list[str]:
        """Return who is not among some students."""
        there = set(students)
        return [row.student for row in self.rows if row.student not in there]


def read_roster(path: Path) -> Roster:
    """Read a class's list: a line with the columns' names, then a line for each student.

    Every cell of a student's line (login, e-mail, number …) is a name that they are found by.

    Raises:
        CourseError: it cannot be read, lacks a name, or has one twice.
    """
    try:
        text = read_handed_in(path, MAX_BYTES).decode("utf-8-sig")
    except Unreadable as error:
        raise CourseError(str(error)) from None
    except UnicodeDecodeError:
        raise CourseError(f"{path} is not UTF-8: save it so from your spreadsheet") from None
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    lines = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restval="")
    columns = lines.fieldnames or []
    if not any(name.strip() for name in columns):
        raise CourseError(f"{path}:1: the first line must name the columns, `student` first")
    numbered = []
    for cells in lines:
        cells.pop(None, None)  # what stands beyond the last column
        numbered.append((lines.line_num, dict(cells)))
    column = column_of_students(columns, [cells for _, cells in numbered])
    rows: dict[str, Row] = {}
    possible: dict[str, str] = {}
    for number, cells in numbered:
        student = readable(cells[column].strip())
        if student.casefold() == POSSIBLE:
            possible = cells
        if student.casefold() in NO_STUDENTS or not any(map(str.strip, cells.values())):
            continue
        if not student or student in rows:
            what = f"{student!r} stands there twice" if student else f"no {column!r}"
            raise CourseError(f"{path}:{number}: {what}")
        rows[student] = Row(student, cells)
    return Roster(path, list(columns), list(rows.values()), possible)


def column_of_students(columns: Sequence[str], rows: Sequence[dict[str, str]]) -> str:
    """Return the column that names students: of those that may, the first without a name twice."""
    known = {name.strip().casefold(): name for name in reversed(columns)}
    candidates = [known[name] for name in STUDENT if name in known] or [columns[0]]
    for column in candidates:
        names = [row[column].strip() for row in rows if row[column].strip()]
        if len(names) == len(set(names)):
            return column
    return candidates[0]


def names_in(cells: Iterable[str]) -> Iterator[str]:
    """Yield the names that a row may mean: cells, and neighbours together, either way round."""
    texts = [cell for cell in cells if re.search(r"[^\W\d_]", cell)]
    parts = [[text] for text in texts] + [text.split(",") for text in texts if "," in text]
    parts += [list(pair) for pair in itertools.pairwise(texts)]
    for words in parts:
        yield squashed("".join(words))
        yield squashed("".join(reversed(words)))


def squashed(name: str) -> str:
    """Return a name without all that is no letter or number, as Canvas writes it."""
    return re.sub(r"[\W_]+", "", name).casefold()
