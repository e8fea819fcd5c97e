"""The reference is read from its source in one way, and that is how a release is built from it."""

from __future__ import annotations

import json

import pytest

from detgrader.assignment import load_assignment
from detgrader.authoring import release
from detgrader.authoring.regions import marker
from detgrader.authoring.source import ANSWERS, read
from detgrader.course import Course
from detgrader.reference import (
    load_reference,
    read_answers,
    reference_notebook,
    reference_submission,
)

COURSE = Course.find()
WEEK = "week1_toy"


def test_it_is_the_release_with_answers_and_without_markers(toy_course: Course) -> None:
    release.write(toy_course, WEEK)
    released = {c["id"]: c for c in json.loads(toy_course.release(WEEK).read_text())["cells"]}
    solved = {cell["id"]: cell for cell in reference_notebook(toy_course, WEEK)["cells"]}
    assert {name: c["metadata"] for name, c in solved.items()} == {
        name: c["metadata"] for name, c in released.items()
    }
    changed = {name for name in solved if solved[name]["source"] != released[name]["source"]}
    assert changed == {"task_1_1", "task_1_2", "task_1_3_area"}
    assert solved["task_1_1"]["source"] == (
        'def add(first, second):\n    """Return the sum."""\n'
        "    total = first + second\n    return total"
    )


@pytest.mark.parametrize("week", COURSE.weeks())
def test_answers_are_read_as_jupytext_reads_them(week: str) -> None:
    expected = {
        cell.name: [text for _, text in cell.lines() if not marker(text)]
        for cell in read(COURSE, week).cells
        if cell.kind in ANSWERS
    }
    assert {a.grade_id: a.source.split("\n") for a in read_answers(COURSE.source(week))} == expected


@pytest.mark.parametrize("week", COURSE.weeks())
def test_answers_know_their_lines(week: str) -> None:
    path = COURSE.source(week)
    lines = path.read_text("utf-8").split("\n")
    for answer in read_answers(path):
        for number, text in answer.lines:
            assert lines[number - 1].endswith(text)


def test_what_is_handed_in_and_what_is_loaded_are_the_same() -> None:
    week = "week1_sliding_window"
    submission = reference_submission(COURSE, load_assignment(COURSE, week))
    assert not submission.refusal
    assert not submission.problems
    assert not submission.notes
    answers = [one for one in read_answers(COURSE.source(week)) if one.is_code]
    sources = {cell.name: cell.source for cell in submission.cells if not cell.definitions_only}
    assert sources == {one.grade_id: one.source for one in answers}
    module = load_reference(COURSE, week)
    assert module.window_grid.__code__.co_filename == f"<{week}: task_1_9>"
