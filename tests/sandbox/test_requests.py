"""Requests that a check sends to a worker, and questions that come back from there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from harness import running_sandbox

from detgrader.course import Course
from detgrader.sandbox.client import WorkerClient
from detgrader.sandbox.dispatcher import DispatcherClient
from detgrader.sandbox.limits import LimitReached, Limits, Violation
from detlab.checking.student import Handle, Student
from detlab.checking.values import HandleRef
from detlab.checking.workbench import StudentError

WEEK = "week1_sliding_window"
CODE = """
import time
import torch

time.process_time = lambda: 0.0

def spend(seconds):
    start = time.thread_time()
    while time.thread_time() - start < seconds:
        pass

def rest():
    time.sleep(0.3)

def pair(ask, value):
    return ask(value, twice=True), ask(value)

def answer(value):
    return value

class Mine:
    pass

def made(name):
    return [torch.nn.ReLU(), Mine(), type(name, (), {})()]
"""


@pytest.fixture(scope="module")
def dispatcher() -> Iterator[DispatcherClient]:
    with running_sandbox(Course.find(), WEEK) as dispatcher:
        yield dispatcher


@pytest.fixture
def worker(dispatcher: DispatcherClient) -> Iterator[WorkerClient]:
    worker = WorkerClient(dispatcher, Limits())
    cells = [{"cell": "cell", "source": CODE, "definitions_only": False}]
    assert worker.run(cells) == [None]
    yield worker
    worker.close()


def test_a_given_function_runs_where_the_check_is(worker: WorkerClient) -> None:
    student, calls = Student(worker.perform), []

    def ask(value: torch.Tensor, twice: bool = False) -> torch.Tensor:
        calls.append((value.tolist(), twice))
        return value * (2 if twice else 1)

    doubled, same = student.pair(ask=student.give(ask), value=torch.tensor([1.0, 2.0]))
    assert (doubled.tolist(), same.tolist()) == ([2.0, 4.0], [1.0, 2.0])
    assert calls == [([1.0, 2.0], True), ([1.0, 2.0], False)]


def test_what_a_given_function_cannot_take_is_the_students_error(worker: WorkerClient) -> None:
    student = Student(worker.perform)
    with pytest.raises(StudentError, match="ValueError"):
        student.pair(ask=student.give(lambda value, twice: value.item()), value=3)
    assert student.answer(value=4) == 4


@pytest.mark.parametrize(("kind", "told"), [(ValueError, ""), (RuntimeError, "RuntimeError: ")])
def test_a_refusal_names_its_kind_once(
    worker: WorkerClient, kind: type[Exception], told: str
) -> None:
    def refuse(value: int, twice: bool) -> None:
        raise kind("no such layer")

    student = Student(worker.perform)
    with pytest.raises(StudentError) as error:
        student.pair(ask=student.give(refuse), value=3)
    assert str(error.value).startswith(f"ValueError: {told}no such layer\n")


def test_the_clock_is_the_systems_own(worker: WorkerClient) -> None:
    student = Student(worker.perform)
    start = student.clock()
    student.rest()
    rested = student.clock()
    student.spend(seconds=0.3)
    spent = student.clock()
    # A busy machine may charge a process a little more than it measured of itself.
    assert rested - start < 0.15 < 0.29 < spent - rested < 1.0
    worker.close()
    assert student.clock() >= spent


def test_what_nobody_waits_for_fails_with_the_next_answer(worker: WorkerClient) -> None:
    student = Student(worker.perform)
    handle = student.make("Conv2d", "build", {"class": "Nothing"})
    with pytest.raises(StudentError):
        student.answer(value=1)
    assert student.answer(value=2) == 2
    with pytest.raises(StudentError):
        handle(torch.zeros(1))
    made = student.make("object", "itself", [torch.ones(2)])
    assert torch.equal(student.tool("itself", made)[0], torch.ones(2))


def test_several_calls_cross_at_once(worker: WorkerClient) -> None:
    student = Student(worker.perform)
    assert student.each("answer", [{"value": n} for n in range(5)]) == [0, 1, 2, 3, 4]


def test_a_question_that_was_not_given_is_a_violation(dispatcher: DispatcherClient) -> None:
    worker = WorkerClient(dispatcher, Limits())
    student = Student(worker.perform)
    number = student.give(lambda value: value).ref.number
    worker.stand_ins.clear()
    worker.run([{"cell": "cell", "source": "def f(g): return g(1)", "definitions_only": False}])
    with pytest.raises(Violation):
        student.f(g=Handle(student, HandleRef(number, "function")))


def test_a_class_goes_by_a_name_that_the_source_or_a_library_knows(worker: WorkerClient) -> None:
    # What a hidden input was could else be spelled in a name, and read in the feedback.
    found = Student(worker.perform).made(name="H_bj_bf")
    assert [one.type_name for one in found] == ["ReLU", "Mine", "object"]


DEAF = """
import threading, time
for _ in range(3000):
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
time.sleep(600)
"""


def test_who_does_not_read_is_watched_all_the_same(dispatcher: DispatcherClient) -> None:
    """What is posted next is more than a socket holds: to send it waits for the worker."""
    worker = WorkerClient(dispatcher, Limits(cpu_s=60, memory_mb=30_000, wall_s=120))
    try:
        worker.post_run([{"cell": "deaf", "source": DEAF, "definitions_only": False}])
        with pytest.raises(LimitReached, match="more threads"):
            worker.post_run([{"cell": "b", "source": "#" * 400_000, "definitions_only": False}])
    finally:
        worker.close()
