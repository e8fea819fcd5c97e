"""Written answers come out as a table, and what a person gives for them comes back into sums."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from detgrader.assignment import Assignment, Task
from detgrader.classroom.kept import Kept, kept_in
from detgrader.classroom.written import Marks
from detgrader.course import CourseError
from detgrader.grading.results import Status, SubmissionResult, TaskResult

ASSIGNMENT = Assignment(
    "week1",
    {},
    (
        Task("1.1", "Say why", 0.0, 5.0, (), ("task_1_1",)),
        Task("1.2", "Both", 6.0, 4.0, ("task_1_2",), ("task_1_2_why",)),
    ),
)


def result(student: str, score: float | None = 6.0, waits: float = 5.0) -> SubmissionResult:
    status = Status.GRADER_ERROR if score is None else Status.PASSED
    tasks = [
        TaskResult("1.1", "Say why", 0.0, 5.0, Status.MANUAL, pending_manual=waits),
        TaskResult("1.2", "Both", score, 10.0, status, pending_manual=4.0),
    ]
    return SubmissionResult(student, "x", "ab", tasks)


@pytest.fixture
def kept(tmp_path: Path):
    with kept_in(tmp_path / "out", "week1") as kept:
        texts = {"task_1_1": "It\ncommutes, I = say.", "task_1_2_why": "=1+1"}
        kept.keep({"notebook": "1"}, "", result("ada"), texts)
        kept.keep({"notebook": "2"}, "", result("=eve", None), texts)
        kept.keep({"notebook": "3"}, "", result("bob", waits=0.0), {"task_1_2_why": "So."})
        yield kept


def table_of(kept: Kept) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(Marks(kept, ASSIGNMENT).table())))


def fill(kept: Kept, path: Path, points: dict[tuple[str, str], str], delimiter: str = ",") -> int:
    """Fill the table in as a spreadsheet does, and take it in."""
    rows = table_of(kept)
    for row in rows:
        row["points"] = points.get((row["student"], row["task"]), row["points"])
        row["comment"] = row["comment"] or "Well said." * bool(row["points"])
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(file.getvalue(), "utf-8")
    return Marks(kept, ASSIGNMENT).take_in(path)


def scores(kept: Kept) -> dict[str, list[float | None]]:
    batch = Marks(kept, ASSIGNMENT).applied(kept.batch())
    return {
        one.student: [one.score, *(task.score for task in one.tasks)] for one in batch.submissions
    }


def test_all_answers_that_wait_are_in_the_table(kept: Kept) -> None:
    rows = table_of(kept)
    assert [(row["student"], row["task"], row["max_points"]) for row in rows] == [
        ("'=eve", "1.1", "5"),
        ("'=eve", "1.2", "4"),
        ("ada", "1.1", "5"),
        ("ada", "1.2", "4"),
        ("bob", "1.2", "4"),
    ]
    assert rows[2]["answer"] == "It\ncommutes, I = say."
    assert rows[3]["answer"] == "'=1+1"


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_marks_come_back_into_the_sums(kept: Kept, tmp_path: Path, delimiter: str) -> None:
    points = {("ada", "1.1"): "3,5", ("ada", "1.2"): "4", ("'=eve", "1.2"): "0"}
    assert fill(kept, tmp_path / "marked.csv", points, delimiter) == 3
    assert scores(kept) == {"=eve": [None, 0, None], "ada": [13.5, 3.5, 10], "bob": [6, 0, 6]}
    (_, ada, bob) = Marks(kept, ASSIGNMENT).applied(kept.batch()).submissions
    assert [task.status for task in ada.tasks] == [Status.PARTIAL, Status.PASSED]
    assert (ada.pending_manual, bob.pending_manual) == (0, 4)
    assert ada.tasks[0].message == "By a person: 3.5 of 5 points. Well said."
    # They are kept, and stand in the next table.
    assert [row["points"] for row in table_of(kept)] == ["", "0", "3.5", "4", ""]
    assert kept.batch().submissions[1].score == 6  # what was graded is as it was


def test_an_answer_that_changed_waits_again(kept: Kept, tmp_path: Path) -> None:
    fill(kept, tmp_path / "marked.csv", {("ada", "1.1"): "3", ("ada", "1.2"): "4"})
    texts = {"task_1_1": "Another reason.", "task_1_2_why": "=1+1"}
    kept.keep({"notebook": "9"}, "", result("ada"), texts)
    assert scores(kept)["ada"] == [10, 0, 10]
    assert [row["points"] for row in table_of(kept) if row["student"] == "ada"] == ["", "4"]


@pytest.mark.parametrize("points", ["6", "-1", "nan", "inf", "good"])
def test_points_that_cannot_be_are_told_by_their_line(
    kept: Kept, tmp_path: Path, points: str
) -> None:
    with pytest.raises(CourseError, match=r"marked.csv:\d+: .*points are from 0 to 5"):
        fill(kept, tmp_path / "marked.csv", {("ada", "1.1"): points})
    assert scores(kept)["ada"] == [6, 0, 6]


def test_a_mark_for_nobody_is_told(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "marked.csv").write_text("student,task,points,comment\nzoe,1.1,3,\n")
    with pytest.raises(CourseError, match=r"'zoe', task '.*': there is no such written answer"):
        Marks(kept, ASSIGNMENT).take_in(tmp_path / "marked.csv")
    (tmp_path / "marked.csv").write_text("who,points\n")
    with pytest.raises(CourseError, match="must name the columns"):
        Marks(kept, ASSIGNMENT).take_in(tmp_path / "marked.csv")


def test_a_violation_stays_one(kept: Kept, tmp_path: Path) -> None:
    bad = result("ada")
    bad.tasks[1] = replace(bad.tasks[1], score=0.0, status=Status.VIOLATION)
    kept.keep({"notebook": "9"}, "", bad, {"task_1_2_why": "Why not."})
    fill(kept, tmp_path / "marked.csv", {("ada", "1.2"): "4"})
    (_, ada, _) = Marks(kept, ASSIGNMENT).applied(kept.batch()).submissions
    assert (ada.tasks[1].status, ada.tasks[1].score) == (Status.VIOLATION, 4)


def test_marks_stay_with_a_student_who_is_called_otherwise(kept: Kept, tmp_path: Path) -> None:
    fill(kept, tmp_path / "marks.csv", {("ada", "1.1"): "4"})
    assert kept.rename({"ada": "Ada Lovelace", "cy": "Cy"}) == [
        "ada of an earlier call is Ada Lovelace"
    ]
    kept.begin("secret")
    later = Kept(kept.out, kept.week)
    assert set(later.history) == {"Ada Lovelace", "=eve", "bob"}
    mark = Marks(later, ASSIGNMENT).mark("Ada Lovelace", "1.1")
    assert mark is not None
    assert mark.points == 4
    assert later.rename({"ada": "Ada Lovelace"}) == []
