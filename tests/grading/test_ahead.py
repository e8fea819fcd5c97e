"""What comes next is begun while one submission is graded, and comes out as if it were alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from attacks.grading import build_course, hand_in, notebook_with, solved_notebook
from attacks.toys import WEEK

from detgrader.assignment import load_assignment
from detgrader.classroom import pool
from detgrader.classroom.batch import grading_pool
from detgrader.course import Course
from detgrader.grading import grader
from detgrader.grading.orders import Order
from detgrader.grading.results import SubmissionResult
from detgrader.intake import take_in

UNREADABLE = "x = " + "-" * 40_000 + "1"  # too deep for Python's own compiler
SOURCES = {
    "right": {},
    "unreadable": {"task_1_1": UNREADABLE},
    "wrong": {"task_1_1": "def add(first, second):\n    return first - second\n"},
    "typo": {"task_1_1": "def add(first, second:\n    return 1\n"},
    "trick": {"task_1_1": "import sys\nsys.modules.clear()\ndef add(first, second): return 1\n"},
    "leaves": {"task_1_4": "import os\nos._exit(0)\n"},
    "again": {},
}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return build_course(tmp_path_factory.mktemp("ahead") / "course")


@pytest.fixture(scope="module")
def orders(course: Course, tmp_path_factory: pytest.TempPathFactory) -> list[Order]:
    """One submission of each kind; also one that cannot be read at all, and an untouched one."""
    folder, solved = tmp_path_factory.mktemp("handed_in"), solved_notebook(course)
    paths = [
        hand_in(notebook_with(solved, answers), folder / f"{name}.ipynb")
        for name, answers in SOURCES.items()
    ]
    paths[2:2] = [folder / "broken.ipynb", course.release(WEEK)]
    (folder / "broken.ipynb").write_text("no notebook", "utf-8")
    assignment = load_assignment(course, WEEK)
    return [Order(take_in(path, assignment)) for path in paths]


def grade(course: Course, rounds: list[list[Order]], jobs: int) -> list[SubmissionResult]:
    """Grade some orders after others; return results without what they took: it differs."""
    results = []
    with grading_pool(course, load_assignment(course, WEEK), jobs, "one", False) as running:
        for orders in rounds:
            results += running.grade(orders, lambda result: None, lambda students: None)
    for result in results:
        result.tasks = [replace(task, seconds=0.0, memory_mb=0) for task in result.tasks]
    return results


@pytest.fixture(scope="module")
def alone(course: Course, orders: list[Order]) -> list[SubmissionResult]:
    return grade(course, [[order] for order in orders], 1)


@pytest.mark.parametrize("jobs", [1, 3])
def test_all_come_out_as_if_they_were_alone(
    course: Course, orders: list[Order], alone: list[SubmissionResult], jobs: int
) -> None:
    assert grade(course, [orders, orders[::-1]], jobs) == alone + alone[::-1]


def test_another_may_come_than_what_was_begun(
    course: Course,
    orders: list[Order],
    alone: list[SubmissionResult],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read_ahead, other = grader.Grader.read_ahead, replace(orders[0])

    def read_another(self: grader.Grader) -> None:
        self.following = other
        read_ahead(self)

    monkeypatch.setattr(grader.Grader, "read_ahead", read_another)
    assert grade(course, [orders], 1) == alone


def test_a_fault_in_what_is_begun_costs_nobody_anything(
    course: Course,
    orders: list[Order],
    alone: list[SubmissionResult],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepare_next = grader.SubmissionRun.prepare_next

    def failing(self: grader.SubmissionRun, task: Any) -> None:
        if self.grader.ahead is self:
            raise OSError("no more of anything")
        prepare_next(self, task)

    monkeypatch.setattr(grader.SubmissionRun, "prepare_next", failing)
    assert grade(course, [orders], 1) == alone


class Line:
    """A connection to a process that keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, message: Any) -> None:
        self.sent.append(message)


def test_what_waits_for_one_process_goes_to_whoever_is_free_first() -> None:
    first, second, third = (Order(None, once=frozenset(name)) for name in "123")  # type: ignore[arg-type]
    jobs = [pool.Job(n, None, Line()) for n in range(2)]  # type: ignore[arg-type]
    busy, free = jobs
    running = pool.Pool(None, None, "", None, "")  # type: ignore[arg-type]
    running.jobs = jobs
    waiting = list(enumerate([first, second, third]))[::-1]
    for job in (busy, free, free, free):
        running.feed(job, waiting)
    assert busy.connection.sent == [(first, second)]  # type: ignore[attr-defined]
    assert free.connection.sent == [(third, None), (second, None)]  # type: ignore[attr-defined]
    assert (busy.index, free.index) == (0, None)

    waiting = list(enumerate([first, second]))[::-1]
    for _ in range(3):
        running.feed(busy, waiting)
    # What it has already is not sent again.
    assert busy.connection.sent[1:] == [(first, second), (None, None)]  # type: ignore[attr-defined]
    assert busy.index is None
