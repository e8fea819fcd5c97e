"""All files of a class, written from its one model of results."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from detgrader.assignment import Assignment
from detgrader.classroom import html
from detgrader.classroom.held_back import held_back
from detgrader.classroom.kept import file_name
from detgrader.classroom.overview import overview_of
from detgrader.classroom.reports import stamp, write_reports
from detgrader.classroom.roster import Roster
from detgrader.classroom.tables import filled_rosters, grades_table
from detgrader.files import write_text
from detgrader.grading.results import BatchResult


@dataclass(frozen=True)
class Around:
    """What is known of a class besides its results.

    Attributes:
        roster: its list, if there is one.
        nothing: by student, why there is nothing of theirs to grade.
        lines: for staff: who is missing, and the like.
        said: for staff: what was met on the way in.
        held_until: when students are told what the checks say; None tells it at once.
    """

    roster: Roster | None = None
    nothing: dict[str, str] = field(default_factory=dict)
    lines: Sequence[str] = ()
    said: Sequence[str] = ()
    held_until: datetime.datetime | None = None


def write_outputs(
    batch: BatchResult, folder: Path, secret: str, assignment: Assignment, around: Around
) -> dict[str, Path]:
    """Write all files of a class into a folder; return where they are, by what they are."""
    told = held_back(batch, around.held_until)
    written = write_reports(batch, folder, secret, [*around.said, *around.lines], told)
    places = {"results": written.results}
    lists = {"grades.csv": grades_table(batch, around.nothing)}
    if around.roster:
        lists |= filled_rosters(batch, around.roster)
    for name, text in lists.items():
        places[name.removesuffix(".csv")] = folder / name
        write_text(folder / name, text)
    places |= write_pages(batch, told, folder, assignment, around)
    return places | {
        "junit": written.junit,
        "gradescope": written.gradescope,
        "log": written.log,
    }


def write_pages(
    batch: BatchResult, told: BatchResult, folder: Path, assignment: Assignment, around: Around
) -> dict[str, Path]:
    """Write a page for each student, and one for staff that nobody else may read.

    Args:
        told: the results as students may see them.
    """
    places = {"students": folder / html.STUDENTS, "staff": folder / "staff.html"}
    pages, mark = html.templates(), stamp(batch.isolation)
    texts = {
        f"{file_name(one.student)}.html": html.student_page(pages, one, batch.assignment, mark)
        for one in told.submissions
    }
    for stale in places["students"].glob("*.html"):
        if stale.name not in texts:
            stale.unlink()  # of a student who was taken out of the class
    for name, text in texts.items():
        write_text(places["students"] / name, text)
    view = overview_of(batch, assignment)
    staff = html.staff_page(pages, batch, assignment, view, mark, around.lines)
    write_text(places["staff"], staff, mode=0o600)
    return places
