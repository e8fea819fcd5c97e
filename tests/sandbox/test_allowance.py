"""What a student's code asks of the grader has an end, and the task pays for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from attacks.grading import build_course, hand_in, notebook_with, solved_notebook
from attacks.toys import WEEK as TOY
from harness import running_sandbox

from detgrader.classroom.batch import grade_batch, take_in_all
from detgrader.course import Course
from detgrader.grading.stand_ins import load_stand_ins
from detgrader.sandbox.allowance import Allowance
from detgrader.sandbox.client import WorkerClient
from detgrader.sandbox.dispatcher import DispatcherClient
from detgrader.sandbox.limits import LimitReached, Limits
from detlab.checking.student import Student

CODE = """
import torch

def asking(ask):
    for _ in range(1000):
        try:
            return ask()
        except ValueError:
            pass

def heavy():
    return torch.zeros(1 << 24, dtype=torch.uint8)
"""
LIMITS = Limits(cpu_s=1, wall_s=60)


@pytest.fixture(scope="module")
def dispatcher() -> Iterator[DispatcherClient]:
    with running_sandbox(Course.find(), "week1_sliding_window") as dispatcher:
        yield dispatcher


@pytest.fixture
def worker(dispatcher: DispatcherClient) -> Iterator[WorkerClient]:
    worker = WorkerClient(dispatcher, LIMITS)
    assert worker.run([{"cell": "cell", "source": CODE, "definitions_only": False}]) == [None]
    yield worker
    worker.close()


def endless() -> None:
    while True:
        pass


def no_room() -> None:
    torch.zeros(1 << 50)


def no_memory() -> None:
    raise MemoryError


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (endless, "cost the grader more than 1 seconds"),
        (no_room, "more memory than the grader has"),
        (no_memory, "more memory than the grader has"),
    ],
)
def test_questions_cost_the_task(worker: WorkerClient, function: Callable, says: str) -> None:
    student = Student(worker.perform)
    with pytest.raises(LimitReached, match=says):
        student.asking(ask=student.give(function))


def test_answers_are_weighed_together(worker: WorkerClient) -> None:
    student = Student(worker.perform)
    worker.allowance.left_bytes = 40 << 20
    assert len(student.heavy()) == len(student.heavy()) == 1 << 24
    with pytest.raises(LimitReached, match="larger than 1024 MB together"):
        student.heavy()


def test_one_inside_another_is_charged_once_and_none_afterwards() -> None:
    allowance = Allowance(LIMITS)
    with pytest.raises(LimitReached), allowance.spend(), allowance.spend():
        endless()
    # The kernel's timer counts in ticks: on a busy machine it is early by tenths of the second. If
    # the inner one were charged as well, a whole second would be missing.
    assert abs(allowance.left_s) < 0.5
    for _ in range(10**6):
        pass  # nothing is raised here
    with pytest.raises(LimitReached), allowance.spend():
        endless()


CHECK = '''

def test_waits(student):
    """`rank` sorts in the end."""
    answer = student.rank(scores=[1.0, 2.0])
    while answer != {"best": 1, "order": [1, 0]}:
        pass
'''


def test_a_check_that_an_answer_holds_up_costs_the_task(tmp_path: Path) -> None:
    course = build_course(tmp_path / "course")
    path = course.checks(TOY) / "test_1_4.py"
    path.write_text(path.read_text("utf-8") + CHECK, "utf-8")
    wrong = "def rank(scores):\n    return {'best': 5, 'order': []}\n"
    notebook = notebook_with(solved_notebook(course), {"task_1_4": wrong})
    file = hand_in(notebook, tmp_path / "ada.ipynb")
    (result,) = grade_batch(course, TOY, take_in_all([file]), 1, secret="s").submissions
    assert [str(task.status) for task in result.tasks] == ["passed"] * 3 + ["limit"]
    assert "cost the grader more than 1 seconds" in result.tasks[3].message
    assert any("limit: What the code answered" in line for line in result.log)


STAND_INS = load_stand_ins(Course.find().checks("week3_mnist_ssd"))


@pytest.mark.parametrize(
    ("task", "name", "arguments"),
    [
        ("3.4", "make_priors", ([torch.tensor(462, dtype=torch.int32)], [0.5], [1.0] * 100)),
        ("3.4", "make_priors", (torch.tensor([1 << 30] * 9), [0.5] * 9, [1.0])),
        ("3.3", "box_iou", (torch.rand(4000, 4), torch.rand(4000, 4))),
        ("3.3", "cxcywh_to_xyxy", (torch.rand(1, 4).expand(4_000_000, 4),)),
        ("3.7", "match_priors", (torch.rand(10**6, 4), torch.ones(10**6), torch.rand(9, 4))),
    ],
)
def test_stand_ins_refuse_what_no_check_asks_for(task: str, name: str, arguments: tuple) -> None:
    with pytest.raises(ValueError, match="more than any check asks for"):
        STAND_INS[task][name](Student(lambda *_: None), *arguments)
