"""Points as tables: one for people and spreadsheets, and a platform's own list, filled in."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from detgrader.assignment import names_week
from detgrader.classroom.roster import Roster
from detgrader.grading.results import BatchResult, SubmissionResult

# Canvas's gradebook and Moodle's grading worksheet are told by these columns.
CANVAS = ("Student", "ID")
MOODLE = ("Identifier", "Grade")
# What a spreadsheet would take for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
CANVAS_ID = re.compile(r"\s*\(\d+\)$")


def grades_table(batch: BatchResult, nothing: dict[str, str]) -> str:
    """Return a class's points as CSV: a line a student, what is not known is an empty cell.

    Args:
        nothing: by student, why there is nothing to grade.
    """
    labels = [task.task for task in batch.submissions[0].tasks] if batch.submissions else []
    late = ["handed_in", "late_percent", "final_score"] * any(one.late for one in batch.submissions)
    head = ["student", "score", "max_score", "pending_manual", *late, *labels, "note"]
    rows = [
        [
            one.student,
            number(one.score),
            number(one.max_score),
            number(one.pending_manual),
            *(late_cells(one) if late else ()),
            *(number(task.score) for task in one.tasks),
            note_of(one),
        ]
        for one in batch.submissions
    ]
    there = {one.student for one in batch.submissions}
    empty = [""] * (len(head) - 2)
    rows += [[name, *empty, why] for name, why in nothing.items() if name not in there]
    return table_of([head, *([harmless(cell) for cell in row] for row in sorted(rows))])


def late_cells(result: SubmissionResult) -> list[str]:
    """Return when something was handed in, what that costs, and what is left."""
    if result.late is None:
        return ["", "", ""]
    at = result.late.handed_in
    when = at.isoformat() if at else "unknown"
    return [when, number(result.late.percent), number(result.final_score)]


def note_of(result: SubmissionResult) -> str:
    """Say why a sum is not known, or nothing."""
    if result.error:
        return result.error
    unknown = [task.task for task in result.tasks if task.score is None]
    return f"not graded: {', '.join(unknown)}" if unknown else ""


def filled_rosters(batch: BatchResult, roster: Roster) -> dict[str, str]:
    """Return, by file name, a platform's list with the points in it, fit to be imported there.

    What is not known, or waits for a person, stays as it is in the list.
    """
    columns = roster.columns
    lists = {}
    for name in platforms_of(roster):
        if name == "canvas.csv":
            column = canvas_column(columns, batch.assignment)
            lists[name] = filled(batch, roster, [*columns[:5]], column)
        else:
            lists[name] = filled(batch, roster, columns, "Grade")
    return lists


def platforms_of(roster: Roster) -> list[str]:
    """Return the names of the files that a platform imports whose list this is."""
    files = {"canvas.csv": CANVAS, "moodle.csv": MOODLE}
    return [name for name, needed in files.items() if set(needed) <= set(roster.columns)]


def canvas_column(columns: Sequence[str], week: str) -> str:
    """Return the column of a gradebook that is called as the week, or a new one's name."""
    own = [column for column in columns if names_week(CANVAS_ID.sub("", column), week)]
    return own[0] if len(own) == 1 else week


def filled(batch: BatchResult, roster: Roster, columns: Sequence[str], column: str) -> str:
    """Return a list with points in one of its columns, or in one more."""
    points = {
        one.student: number(one.final_score) for one in batch.submissions if not one.pending_manual
    }
    head = list(dict.fromkeys([*columns, column]))
    rows = [
        [(name == column and points.get(row.student)) or row.cells.get(name, "") for name in head]
        for row in roster.rows
    ]
    if roster.possible and batch.submissions:
        possible = {column: number(batch.submissions[0].max_score)} | roster.possible
        rows.insert(0, [possible.get(name, "") for name in head])
    return table_of([head, *rows])


def number(points: float | None) -> str:
    """Return points as spreadsheets read them; not known is nothing."""
    return "" if points is None else f"{points:.10g}"


def harmless(cell: str) -> str:
    """Keep a spreadsheet from taking a student's words for a formula."""
    is_number = re.fullmatch(r"[-+]?[\d.]+(?:e[-+]?\d+)?", cell)
    return f"'{cell}" if cell.startswith(FORMULA) and not is_number else cell


def table_of(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as CSV."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()
