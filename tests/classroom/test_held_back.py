"""Messages that students see from a date on, and points that they see at once."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest

from detgrader.assignment import Assignment, Task
from detgrader.classroom.held_back import read_moment
from detgrader.classroom.kept import kept_in
from detgrader.classroom.outputs import Around, write_outputs
from detgrader.course import CourseError
from detgrader.grading.results import BatchResult, CheckResult, Status, SubmissionResult, TaskResult

SAID = "`add` is wrong for negative numbers."
WAITS = "The images to measure on are not here."
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


def a_class() -> BatchResult:
    tasks = [
        TaskResult("1.1", "Add", 3.0, 10.0, Status.PARTIAL, SAID),
        TaskResult("1.2", "Measure", None, 5.0, Status.GRADER_ERROR, WAITS),
    ]
    checks = {"1.1": [CheckResult("t::a", "adds", Status.FAILED, SAID, "hidden 4711")]}
    ada = SubmissionResult("ada", "ada.ipynb", "ab" * 32, tasks, checks=checks)
    return BatchResult("week1_toy", "bubblewrap", [ada])


def files_of(folder: Path, until: datetime.datetime | None) -> dict[str, str]:
    tasks = tuple(Task(label, label, 10.0, 0.0, (), ()) for label in ("1.1", "1.2"))
    assignment = Assignment("week1_toy", {}, tasks)
    write_outputs(a_class(), folder, "secret", assignment, Around(held_until=until))
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in files}


OF_STUDENTS = ("students/ada.html", "gradescope/ada.json", "junit.xml")
OF_STAFF = ("results.json", "staff.html")


def test_until_then_students_see_points_and_staff_see_all(tmp_path: Path) -> None:
    files = files_of(tmp_path, NOW + DAY)
    for name in OF_STUDENTS:
        assert "negative numbers" not in files[name], name
        assert f"is shown from {NOW + DAY:%Y-%m-%d %H:%M} UTC on" in files[name], name
        assert WAITS in files[name], name  # not about what a check asks
    for name in OF_STAFF:
        assert "negative numbers" in files[name], name
    (first, _) = json.loads(files["gradescope/ada.json"])["tests"]
    assert (first["score"], first["max_score"]) == (3.0, 10.0)


def test_a_later_run_without_a_date_gives_nothing_away(tmp_path: Path) -> None:
    with kept_in(tmp_path, "week1_toy") as kept:
        kept.begin("secret", held_until=NOW + DAY)
    with kept_in(tmp_path, "week1_toy") as kept:
        kept.begin("secret")
        assert kept.held_until == NOW + DAY
        kept.begin("secret", held_until=NOW - DAY)
    with kept_in(tmp_path, "week1_toy") as kept:
        assert kept.held_until == NOW - DAY


@pytest.mark.parametrize("until", [None, NOW - DAY])
def test_from_then_on_nothing_is_held_back(tmp_path: Path, until: datetime.datetime | None) -> None:
    files = files_of(tmp_path, until)
    assert all("negative numbers" in files[name] for name in (*OF_STUDENTS, *OF_STAFF))


def test_a_time_without_a_zone_is_utc() -> None:
    assert read_moment("2026-12-08") == datetime.datetime(2026, 12, 8, tzinfo=datetime.UTC)
    assert read_moment("") is None


def test_what_is_no_time_is_told() -> None:
    with pytest.raises(CourseError, match="--hold-back-until soon: write a time like"):
        read_moment("soon")
