"""Where things lie in a course."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from detgrader.authoring import release
from detgrader.course import Course, CourseError

WEEK = "week1_toy"
SOURCE = f"solutions/{WEEK}/notebook.py"
CHECKS = "autograder/checks/week1"


def test_course_is_found_from_inside_and_from_outside(toy_course, tmp_path, monkeypatch):
    assert Course.find(toy_course.checks(WEEK)) == toy_course
    monkeypatch.chdir(toy_course.root / "solutions")
    assert Course.find() == toy_course
    assert Course.find(tmp_path).root == Path(__file__).resolve().parents[2]


def test_no_course_anywhere_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("detgrader.course.__file__", str(tmp_path / "a" / "b" / "course.py"))
    with pytest.raises(CourseError, match=f"{re.escape(str(tmp_path))}: no course here or above"):
        Course.find(tmp_path)


def test_unknown_week_names_the_known_ones(toy_course):
    (toy_course.root / "solutions" / "week2_empty").mkdir()
    assert toy_course.weeks() == [WEEK]
    for method in ("source", "release", "checks", "mutants", "variants", "number"):
        with pytest.raises(CourseError, match=r"no week '../week1_toy' in .*; known: week1_toy"):
            getattr(toy_course, method)("../week1_toy")


def test_week_without_a_number_is_an_error(toy_course):
    (toy_course.root / "solutions" / WEEK).rename(toy_course.root / "solutions" / "toy")
    with pytest.raises(CourseError, match="solutions/toy: the name holds no number"):
        release.build(toy_course, "toy")


def test_a_week_may_be_worth_something_else(toy_course):
    settings = toy_course.root / "course.toml"
    settings.write_text(f"{settings.read_text()}\n[points_of]\n{WEEK} = 50\n")
    assert Course(toy_course.root).points(WEEK) == 50
    with pytest.raises(CourseError, match="the points add up to 100, not 50"):
        release.build(Course(toy_course.root), WEEK)


def test_course_imports_nothing_slow():
    script = "import detgrader.course, sys; print({'nbgrader', 'jupytext'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "set()"
