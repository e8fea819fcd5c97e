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
    "large": {"task_1_1": f"# {'é' * 49_000}\ndef add(first, second): return first + second\n"},
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


@pytest.mark.parametrize("broken", ["begin_reading", "prepare_next"])
def test_a_fault_in_what_is_begun_costs_nobody_anything(
    course: Course,
    orders: list[Order],
    alone: list[SubmissionResult],
    monkeypatch: pytest.MonkeyPatch,
    broken: str,
) -> None:
    works = getattr(grader.SubmissionRun, broken)
    failed = []

    def failing(self: grader.SubmissionRun, *arguments: Any) -> Any:
        # Once for each: when its turn comes it works.
        if self.order is self.grader.following and self.order not in failed:
            failed.append(self.order)
            raise OSError("no more of anything")
        return works(self, *arguments)

    monkeypatch.setattr(grader.SubmissionRun, broken, failing)
    assert grade(course, [orders], 1) == alone


def test_what_was_read_but_not_begun_is_begun_when_its_turn_comes(
    course: Course, orders: list[Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault that takes a submission's whole grading leaves the one that was read for it."""
    works = grader.SubmissionRun.grade

    def failing(self: grader.SubmissionRun) -> Any:
        results = works(self)
        if self.grader.following:
            raise MemoryError("all of a sudden")
        return results

    monkeypatch.setattr(grader.SubmissionRun, "grade", failing)
    right, again = orders[0], replace(orders[-1])
    first, second = grade(course, [[right, again]], 1)
    assert not first.graded
    assert second.score == sum(task.points for task in load_assignment(course, WEEK).tasks)


class Line:
    """A connection to a process that keeps what it is sent, until the process is gone."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.is_gone = False

    def send(self, message: Any) -> None:
        if self.is_gone:
            raise BrokenPipeError
        self.sent.append(message)


class Sandbox:
    """Ends workers."""

    def end_workers(self, job: int) -> None:
        """Nothing runs here."""


def pool_of(count: int) -> tuple[pool.Pool, list[Any]]:
    """Return a pool of so many processes that are none, and their lines."""
    made: Any = pool.Pool(None, None, "", Sandbox(), "")  # type: ignore[arg-type]
    made.jobs = [pool.Job(n, None, Line()) for n in range(count)]  # type: ignore[arg-type]
    return made, [job.connection for job in made.jobs]


A, B, C, D = (Order(None, once=frozenset(name)) for name in "abcd")  # type: ignore[arg-type]


def in_line(*orders: Order) -> list[tuple[int, Order]]:
    return [*enumerate(orders)][::-1]


def test_what_is_reserved_for_a_process_is_not_sent_again() -> None:
    running, (line,) = pool_of(1)
    waiting = in_line(A, B, C)
    for _ in range(4):
        running.feed(running.jobs[0], waiting)
    assert line.sent == [(A, B), (None, C), (None, None)]
    assert running.jobs[0].index is None


def test_what_is_reserved_for_one_process_goes_to_whoever_is_free_first() -> None:
    running, (of_busy, of_free) = pool_of(2)
    busy, free = running.jobs
    waiting = in_line(A, B, C, D)
    for job in (busy, free, free, free, free):
        running.feed(job, waiting)
    assert of_busy.sent == [(A, B)]
    assert of_free.sent == [(C, D), (None, None), (B, None)]
    assert (busy.index, free.index) == (0, None)
    running.feed(busy, waiting)
    assert (busy.index, len(of_busy.sent)) == (None, 1)


def test_nothing_is_reserved_while_others_have_nothing() -> None:
    running, lines = pool_of(3)
    waiting = in_line(A, B, C)
    for job in running.jobs:
        running.feed(job, waiting)
    assert [line.sent for line in lines] == [[(A, None)], [(B, None)], [(C, None)]]


def test_a_process_that_died_with_an_order_in_reserve_loses_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running, (line,) = pool_of(1)
    running.material, fresh = object(), Line()
    monkeypatch.setattr(pool, "start_job", lambda *_: pool.Job(0, None, fresh))  # type: ignore[arg-type]
    waiting = in_line(A, B, C)
    running.feed(running.jobs[0], waiting)
    line.is_gone = True
    running.feed(running.jobs[0], waiting)
    assert (line.sent, fresh.sent) == ([(A, B)], [(B, C)])
