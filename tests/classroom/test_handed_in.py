"""A class as it is named on the command line: one submission a student; what people are told."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from detgrader.assignment import Assignment, load_assignment
from detgrader.classroom.handed_in import Found, find_submissions
from detgrader.classroom.layouts import Weeks
from detgrader.classroom.roster import read_roster
from detgrader.course import Course, CourseError

COURSE = Course.find()
WEEK = "week1_sliding_window"
WEEKS = Weeks(WEEK, tuple(week for week in COURSE.weeks() if week != WEEK))
RELEASED = COURSE.release(WEEK).read_bytes()


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    return load_assignment(COURSE, WEEK)


def notebook(path: Path, data: bytes = RELEASED) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def found_in(tmp_path: Path, assignment: Assignment, *paths: Path, roster: str = "") -> Found:
    if roster:
        (tmp_path / "roster.csv").write_text(roster, "utf-8")
    listed = read_roster(tmp_path / "roster.csv") if roster else None
    return find_submissions(paths, assignment, WEEKS, tmp_path / "unpacked", listed)


def by_student(found: Found) -> dict[str, str]:
    return {one.student: one.path.name for one in found.submissions}


def test_files_that_are_named_one_by_one(tmp_path: Path, assignment: Assignment) -> None:
    paths = [
        notebook(tmp_path / "a" / f"{WEEK}.ipynb"),
        notebook(tmp_path / "a" / f"{WEEK} (1).ipynb"),
        notebook(tmp_path / "bob.ipynb"),
        notebook(tmp_path / "carl" / "answer.ipynb"),
        notebook(tmp_path / "dora" / "answer.ipynb"),
        notebook(tmp_path / "dora" / WEEK / f"{WEEK}-Copy1.ipynb"),
    ]
    found = found_in(tmp_path, assignment, *paths)
    assert by_student(found) == {
        "a": f"{WEEK}.ipynb",
        "bob": "bob.ipynb",
        "carl": "answer.ipynb",
        "dora": f"{WEEK}-Copy1.ipynb",
    }
    assert [line for line in found.said if "left alone" in line] == [
        f"a handed in 2 notebooks; graded: {paths[0]}; left alone: {paths[1]}",
        f"dora handed in 2 notebooks; graded: {paths[5]}; left alone: {paths[4]}",
    ]
    assert found.submissions[0].notes[-1] in found.said


def test_a_notebook_that_can_be_graded_comes_before_one_that_cannot(
    tmp_path: Path, assignment: Assignment
) -> None:
    notebook(tmp_path / "class/ada" / f"{WEEK}.ipynb", b"damaged")
    notebook(tmp_path / "class/ada" / "again.ipynb")
    notebook(tmp_path / "class/bob" / f"{WEEK}.ipynb", b"damaged")
    found = found_in(tmp_path, assignment, tmp_path / "class")
    assert by_student(found) == {"ada": "again.ipynb", "bob": f"{WEEK}.ipynb"}
    assert [bool(one.refusal) for one in found.submissions] == [False, True]


def test_a_zip_is_graded_like_the_folder_that_it_holds(
    tmp_path: Path, assignment: Assignment
) -> None:
    with zipfile.ZipFile(tmp_path / "submissions.zip", "w") as file:
        file.writestr("lovelaceada_LATE_4711_99887_week1-2.ipynb", RELEASED)
        file.writestr("ngbob_4712_99888_mine.ipynb", RELEASED)
    found = found_in(tmp_path, assignment, tmp_path / "submissions.zip")
    assert list(by_student(found)) == ["lovelaceada", "ngbob"]
    assert all(not one.refusal and one.path.is_file() for one in found.submissions)


def test_the_roster_names_who_is_there_and_who_is_not(
    tmp_path: Path, assignment: Assignment
) -> None:
    notebook(tmp_path / "class" / "lovelaceada_4711_9901_a.ipynb")
    notebook(tmp_path / "class" / "zoe_4799_9902_a.ipynb")
    (tmp_path / "class" / "ngbob_4712_9903_answers.pdf").touch()
    roster = "student,canvas\nal1,4711\nbn2,4712\ncy3,4713\n"
    found = found_in(tmp_path, assignment, tmp_path / "class", roster=roster)
    assert list(by_student(found)) == ["al1", "zoe"]
    assert found.without_notebook == {"bn2": "ngbob_4712_9903_answers.pdf"}
    assert (found.missing, found.strangers) == (["cy3"], ["zoe"])
    assert found.lines() == [
        "without a notebook: bn2 (ngbob_4712_9903_answers.pdf)",
        "missing, by the roster: cy3",
        "not in the roster: zoe",
    ]


def test_a_folder_that_is_a_link_is_a_refused_submission(
    tmp_path: Path, assignment: Assignment
) -> None:
    notebook(tmp_path / "class/bob/answer.ipynb")
    (tmp_path / "class/ada").symlink_to(tmp_path / "class/bob")
    ada, bob = found_in(tmp_path, assignment, tmp_path / "class").submissions
    assert "ada is a symbolic link" in ada.refusal
    assert (ada.student, bob.student, bob.refusal) == ("ada", "bob", "")


def test_all_that_is_not_there_is_told_at_once(tmp_path: Path, assignment: Assignment) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CourseError) as error:
        found_in(tmp_path, assignment, tmp_path / "empty", tmp_path / "none.ipynb")
    assert str(error.value).splitlines() == [
        f"{tmp_path}/empty holds no notebook (.ipynb) of {WEEK}",
        f"{tmp_path}/none.ipynb does not exist",
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("lovelaceada_4711_9901_a.ipynb", "ngbob_4712_9902_a.ipynb"),
        ("Ada L_4711_assignsubmission_file_/a.ipynb", "Bob N_4712_assignsubmission_file_/b.ipynb"),
        (f"{WEEK}-ada/{WEEK}.ipynb", f"{WEEK}-bob/{WEEK}.ipynb"),
        ("submission_1/a.ipynb", "submission_2/a.ipynb"),
    ],
)
def test_a_folder_around_downloads_is_no_class(
    tmp_path: Path, assignment: Assignment, names: tuple[str, ...]
) -> None:
    for section in ("monday", "friday"):
        for name in names:
            notebook(tmp_path / "downloads" / section / name)
    with pytest.raises(CourseError, match=r"downloads holds friday, which is .*: name each"):
        found_in(tmp_path, assignment, tmp_path / "downloads")
    sections = [tmp_path / "downloads" / section for section in ("monday", "friday")]
    assert len(by_student(found_in(tmp_path, assignment, *sections))) == 2


def test_zips_in_a_folder_are_told(tmp_path: Path, assignment: Assignment) -> None:
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "ada.zip").touch()
    with pytest.raises(CourseError, match=r"holds no notebook .*, but ada.zip: name zips"):
        found_in(tmp_path, assignment, tmp_path / "class")
    notebook(tmp_path / "class" / "bob.ipynb")
    found = found_in(tmp_path, assignment, tmp_path / "class")
    assert f"{tmp_path}/class: left alone: ada.zip; zips are named themselves" in found.said


def test_the_log_names_all_and_the_screen_not_too_many(
    tmp_path: Path, assignment: Assignment
) -> None:
    roster = "student\n" + "".join(f"student{number}\n" for number in range(30))
    found = found_in(tmp_path, assignment, notebook(tmp_path / "student0.ipynb"), roster=roster)
    (whole,) = found.lines()
    (short,) = found.lines(12)
    assert whole.endswith("student28, student29")
    assert short.endswith("student12 and 17 more")


def test_another_weeks_notebook_is_no_submission_of_this(
    tmp_path: Path, assignment: Assignment
) -> None:
    notebook(tmp_path / "class/ada" / f"{WEEKS.others[0]}.ipynb")
    with pytest.raises(CourseError, match="holds no notebook"):
        found_in(tmp_path, assignment, tmp_path / "class")
    other = json.loads(COURSE.release(WEEKS.others[0]).read_bytes())
    named = notebook(tmp_path / "ada.ipynb", json.dumps(other).encode())
    (ada,) = found_in(tmp_path, assignment, named).submissions
    assert "answers week" in ada.refusal
