"""Tables: a platform's own list comes back with the points in it, and nothing else changed."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from detgrader.classroom.roster import read_roster
from detgrader.classroom.tables import filled_rosters, grades_table, harmless
from detgrader.grading.results import BatchResult, Status, SubmissionResult, TaskResult

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Week1 Toy (991),Quiz (992)
    Points Possible,,,,,100,10
"Lovelace, Ada",4711,S1,al1,A,,7
"Ng, Bob",4712,S2,bn2,A,50,
"Cy, Eve",4713,S3,ec3,B,,
"""
MOODLE = """\
Identifier,Full name,Email address,Status,Grade,Maximum Grade
Participant 4711,Ada Lovelace,al@x,Submitted,,100
Participant 4712,Bob Ng,bn@x,Submitted,50,100
"""


def batch_of(**points: float | None) -> BatchResult:
    results = [
        SubmissionResult(
            student, "x", "ab", [TaskResult("1.1", "Add", score, 100.0, Status.PARTIAL)]
        )
        for student, score in points.items()
    ]
    return BatchResult("week1_toy", "bubblewrap", results)


def filled(tmp_path: Path, text: str, **points: float | None) -> dict[str, list[list[str]]]:
    (tmp_path / "list.csv").write_text(text, "utf-8")
    lists = filled_rosters(batch_of(**points), read_roster(tmp_path / "list.csv"))
    return {name: list(csv.reader(io.StringIO(text))) for name, text in lists.items()}


def test_a_canvas_gradebook_comes_back_with_its_own_column(tmp_path: Path) -> None:
    points = {"Lovelace, Ada": 87.5, "Ng, Bob": None}
    lists = filled(tmp_path, CANVAS, **points)
    assert lists == {
        "canvas.csv": [
            ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Week1 Toy (991)"],
            ["    Points Possible", "", "", "", "", "100"],
            ["Lovelace, Ada", "4711", "S1", "al1", "A", "87.5"],
            ["Ng, Bob", "4712", "S2", "bn2", "A", "50"],
            ["Cy, Eve", "4713", "S3", "ec3", "B", ""],
        ]
    }


def test_moodles_worksheet_comes_back_with_grades(tmp_path: Path) -> None:
    lists = filled(tmp_path, MOODLE, **{"Ada Lovelace": 0.0, "Bob Ng": None})
    assert [row[4] for row in lists["moodle.csv"]] == ["Grade", "0", "50"]
    assert [row[0] for row in lists["moodle.csv"]] == [
        *("Identifier", "Participant 4711", "Participant 4712")
    ]


def test_a_new_column_of_canvas_says_what_it_can_give(tmp_path: Path) -> None:
    text = CANVAS.replace("Week1 Toy", "Other")
    rows = filled(tmp_path, text, **{"Lovelace, Ada": 7.0})["canvas.csv"]
    assert [row[-1] for row in rows] == ["week1_toy", "100", "7", "", ""]


def test_points_that_a_person_has_yet_to_give_leave_a_platforms_cell_as_it_was(
    tmp_path: Path,
) -> None:
    (tmp_path / "list.csv").write_text(MOODLE, "utf-8")
    batch = batch_of(**{"Ada Lovelace": 3.0, "Bob Ng": 4.0})
    batch.submissions[1].tasks[0].pending_manual = 5.0
    text = filled_rosters(batch, read_roster(tmp_path / "list.csv"))["moodle.csv"]
    assert [row[4] for row in csv.reader(io.StringIO(text))] == ["Grade", "3", "50"]


def test_another_list_is_nobodys_to_import(tmp_path: Path) -> None:
    assert filled(tmp_path, "student,email\nada,a@x\n", ada=1.0) == {}


@pytest.mark.parametrize("cell", ["=1+1", "+a", "-x", "@sum", "\tx"])
def test_a_students_name_is_no_formula(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"
    assert grades_table(batch_of(**{cell: 1.0}), {}).splitlines()[1].startswith(f"'{cell}")


@pytest.mark.parametrize("cell", ["-1", "-0.5", "1e-3", "ada", ""])
def test_a_number_stays_one(cell: str) -> None:
    assert harmless(cell) == cell
