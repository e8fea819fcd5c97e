"""Junk in the place of answers: each kind is made, and what it earns or breaks is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from attacks.grading import build_course
from attacks.toys import WEEK

from detgrader.assignment import Assignment
from detgrader.audit import junk
from detgrader.audit.audit import collect_checks
from detgrader.audit.junk import ALL, Junk, Name
from detgrader.audit.kinds import HELPERS, PLAIN, TWISTED, Kind
from detgrader.classroom.batch import grade_batch
from detgrader.grading.orders import Order
from detgrader.grading.results import CheckResult, Status, SubmissionResult, TaskResult
from detgrader.intake import Submission
from detgrader.reference import reference_submission
from detlab.grid import WindowGrid

# A check that takes an answer for what it should be, and one that asks for nothing.
BLIND = '''

def test_blindly(student):
    """`rank` sorts two scores."""
    answer = student.rank(scores=[1.0, 2.0])
    if answer["order"][0] != 1:
        fail("`rank` does not sort.")
'''
IDLE = '''

def test_runs(student):
    """`scale` runs."""
    student.scale(boxes=torch.zeros(1, 4), factor=2.0)
'''


# Of the tasks after the first these kinds are enough to see what is wrong with their checks.
FEW = ("None", "bytes", "a module", "its first argument")


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Junk, SubmissionResult]]:
    """The toy course's junk, graded; task 1.4 has a blind check, task 1.2 one that asks nothing."""
    course = build_course(tmp_path_factory.mktemp("junk") / "course")
    for name, more in (("1_4", BLIND), ("1_2", IDLE)):
        with (course.root / "autograder/checks/week1" / f"test_{name}.py").open("a") as file:
            file.write(more)
    checks = collect_checks(course, WEEK)
    made: list[Junk] = []

    def build(assignment: Assignment) -> list[Order]:
        every = junk.orders(reference_submission(course, assignment), assignment, checks)
        made.extend(one for one in every if one.task == "1.1" or one.kind in FEW)
        made.extend(one for one in every if one.name == junk.EARLIER and one not in made)
        return [one.order for one in made]

    batch = grade_batch(course, WEEK, build, 2, secret="junk")
    return list(zip(made, batch.submissions, strict=True))


def problems_of(graded: list[tuple[Junk, SubmissionResult]], label: str) -> list[str]:
    return junk.problems((one, result) for one, result in graded if one.task == label)


def test_sound_checks_have_no_problem(graded: list[tuple[Junk, SubmissionResult]]) -> None:
    for label in ("1.1", "1.3"):
        assert problems_of(graded, label) == []


def test_every_plain_kind_takes_the_place_of_a_whole_answer(
    graded: list[tuple[Junk, SubmissionResult]],
) -> None:
    whole = [one for one, _ in graded if one.task == "1.1" and one.name == ALL]
    assert {kind.name for kind in PLAIN} <= {one.kind for one in whole}
    assert all(one.is_whole for one in whole)


def test_a_check_that_indexes_blindly_is_told_with_its_traceback(
    graded: list[tuple[Junk, SubmissionResult]],
) -> None:
    problems = problems_of(graded, "1.4")
    text = next(one for one in problems if "None in the place of all names" in one)
    assert text.startswith("1.4: None in the place of all names breaks a check\n")
    assert "test_1_4.py::test_blindly" in text
    assert 'if answer["order"][0] != 1:' in text
    assert text.endswith("TypeError: 'NoneType' object is not subscriptable")


def test_a_check_that_junk_passes_is_told(graded: list[tuple[Junk, SubmissionResult]]) -> None:
    problems = problems_of(graded, "1.2")
    text = next(one for one in problems if "bytes in the place of all names" in one)
    assert "earns 15 of 30 points, in\ntest_1_2.py::test_runs" in text


def test_earlier_answers_are_junk_too(graded: list[tuple[Junk, SubmissionResult]]) -> None:
    earlier = [(one, r) for one, r in graded if one.name == junk.EARLIER and one.task == "1.3"]
    assert len(earlier) == 2
    for one, result in earlier:
        task = next(task for task in result.tasks if task.task == "1.3")
        assert task.status is Status.PASSED, (one.kind, task)  # `fit` asks nothing of them


def test_names_are_all_that_a_cell_defines_at_top_level() -> None:
    source = """
from torch import nn
size, stride = 3, 2
count: int = 4
def plain():
    inner = 1
class Net(nn.Module):
    sides = 2
    def __init__(self):
        self.a = 1
    def forward(self, x):
        return x
class Set:
    def __len__(self):
        return 3
"""
    names = junk.names_of(source)
    own = [name for name in names if not name.inherited]
    assert own == [
        Name("size", callable=False),
        Name("stride", callable=False),
        Name("count", callable=False),
        Name("plain"),
        Name("Net"),
        Name("Net.__init__"),
        Name("Net.forward"),
        Name("Set"),
        Name("Set.__len__"),
    ]
    inherited = [name.path for name in names if name.inherited]
    assert len(inherited) == 2
    assert all(path.startswith("Net.") for path in inherited)


@pytest.fixture(scope="module")
def helpers() -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(HELPERS, names)
    return names


@pytest.mark.parametrize("kind", PLAIN, ids=lambda kind: kind.name)
@pytest.mark.filterwarnings("ignore")  # prototypes and what is deprecated is junk all the more
def test_plain_kinds_can_be_made(kind: Kind, helpers: dict[str, Any]) -> None:
    names = helpers | {"given": [1, 2]}
    if kind.name == "an exception that is raised":
        with pytest.raises(Exception) as raised:  # noqa: PT011
            eval(kind.text, names)
        with pytest.raises(type(raised.value)):
            str(raised.value)
    else:
        eval(kind.text, names)


@pytest.mark.parametrize("kind", TWISTED, ids=lambda kind: kind.name)
def test_twisted_kinds_change_the_parts_of_an_answer(kind: Kind, helpers: dict[str, Any]) -> None:
    boxes = torch.rand(3, 4)
    answer = {"boxes": boxes, "grid": WindowGrid(2, 1, (3, 3)), "all": [boxes, 0.5]}
    change = eval(kind.text, helpers)
    twisted = helpers["_twisted"](answer, change)
    assert twisted.keys() == answer.keys()
    assert isinstance(twisted["grid"], WindowGrid)
    for part in (twisted["boxes"], twisted["all"][0]):
        same = isinstance(part, torch.Tensor) and part.dtype == boxes.dtype
        assert not (same and torch.equal(part, boxes))


def test_a_twisted_network_answers_otherwise(helpers: dict[str, Any]) -> None:
    net = torch.nn.Sequential(torch.nn.Linear(3, 2))
    kind = next(kind for kind in TWISTED if kind.name == "summed up")
    twisted = helpers["_twisted"](net, eval(kind.text, helpers))
    assert twisted(torch.ones(4, 3)).shape == ()


def calls(code: str, source: str = "def f(a, b=2):\n    return a + b") -> Iterator[Any]:
    """Call a replaced function again and again."""
    names: dict[str, Any] = {}
    exec("\n\n".join([source, HELPERS, code]), names)
    while True:
        yield names["f"](1, b=4)


def test_a_function_turns_at_its_call() -> None:
    answers = calls(junk.turning(Name("f"), Kind("all", "given"), 3))
    assert [next(answers) for _ in range(4)] == [5, 5, [1, 4], [1, 4]]


def test_a_method_is_replaced_with_its_object_left_out() -> None:
    source = "class C:\n    def g(self, a, b):\n        return a * b\ndef f(a, b):\n"
    source += "    return C().g(a, b)"
    assert next(calls(junk.plain(Name("C.g"), Kind("all", "given")), source)) == [1, 4]
    double = Kind("double", "lambda part: 2 * part")
    assert next(calls(junk.twisted(Name("C.g"), double), source)) == 8


def result_of(**fields: Any) -> SubmissionResult:
    task = TaskResult("1.1", "Add", 0.0, 4.0, Status.FAILED)
    checks = {"1.1": [CheckResult("a.py::test", "It adds", fields.get("status", Status.FAILED))]}
    return SubmissionResult("x", "x", None, [replace(task, **fields)], checks=checks, log=["log"])


@pytest.mark.parametrize(
    ("fields", "whole", "says"),
    [
        ({}, True, None),
        ({"score": 2.0, "status": Status.PARTIAL}, False, None),
        ({"score": 2.0, "status": Status.PARTIAL}, True, "1.1: k in the place of f earns 2 of 4"),
        ({"status": Status.GRADER_ERROR}, False, "1.1: k in the place of f breaks a check\na.py"),
        ({"status": Status.VIOLATION}, False, "1.1: k in the place of f is taken for an attack\nl"),
        ({"message": "a\x1b[31m\nb"}, False, "1.1: k in the place of f: the message holds '\\x1b'"),
    ],
)
def test_judgement(fields: dict[str, Any], whole: bool, says: str | None) -> None:
    one = Junk("1.1", "f", "k", Order(Submission("x", Path("x"))), whole)
    told = junk.judge(one, result_of(**fields))
    assert told == says if says is None else str(told).startswith(says)
