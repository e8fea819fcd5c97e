"""Junk in the place of answers: each kind is made, and what it earns or breaks is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from audit.toys import CHECKS, audited, build

from detgrader.audit import junk
from detgrader.audit.cases import Case, Kind
from detgrader.audit.junk import ALL, EARLIER, Name
from detgrader.audit.kinds import HELPERS, PLAIN, TWISTED, Junk
from detgrader.audit.reuse import Record
from detgrader.audit.verdicts import Audit, Problem, problem_in
from detgrader.grading.results import CheckResult, Status, TaskResult
from detgrader.intake import Submission
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


# These are enough to see what is wrong with a check.
KINDS = ("None", "bytes", "a module", "its first argument", *junk.TELLING)


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """The toy course's audit; task 1.4 has a blind check, task 1.2 one that asks nothing."""
    course = build(tmp_path_factory.mktemp("junk") / "course")
    for name, more in (("1_4", BLIND), ("1_2", IDLE)):
        with (course.root / CHECKS / f"test_{name}.py").open("a") as file:
            file.write(more)
    return audited(course, kinds=KINDS)


def problems_of(audit: Audit, label: str) -> dict[str, Problem]:
    """Return what is wrong with a task's junk, by what was put where."""
    return {one.overlay: one for one in audit.problems if one.task == label and one.kind == "junk"}


def test_sound_checks_have_no_problem(audit: Audit) -> None:
    assert {one.task for one in audit.problems} == {"1.2", "1.4"}


def test_every_plain_kind_takes_the_place_of_a_whole_answer(audit: Audit) -> None:
    whole = {one.case.name for one in audit.of_kind(Kind.JUNK) if one.case.whole}
    assert whole >= {f"{kind} in the place of {ALL}" for kind in KINDS}


def test_a_check_that_indexes_blindly_is_told_with_its_traceback(audit: Audit) -> None:
    problem = problems_of(audit, "1.4")["None in the place of all names"]
    assert problem.what == "a check broke"
    (check,) = problem.checks
    assert check.key == "test_1_4.py::test_blindly"
    assert 'if answer["order"][0] != 1:' in check.detail
    assert check.detail.endswith("TypeError: 'NoneType' object is not subscriptable")
    # Its answers one by one, in the check's own process, tell the same.
    told = [one for one in audit.problems if one.kind == "check" and one.task == "1.4"]
    assert {one.overlay for one in told} == {check.key}
    assert all(one.what.endswith("breaks it") for one in told)


def test_a_check_that_junk_passes_is_told(audit: Audit) -> None:
    problem = problems_of(audit, "1.2")["bytes in the place of all names"]
    assert problem.what == "earns 15 of 30 points"
    assert [check.key for check in problem.checks] == ["test_1_2.py::test_runs"]


def test_earlier_answers_are_junk_too(audit: Audit) -> None:
    earlier = [one for one in audit.of_kind(Kind.JUNK) if one.case.name.endswith(EARLIER)]
    of_fit = [one for one in earlier if one.case.task == "1.3"]
    assert len(of_fit) == 2
    for one in of_fit:  # `fit` asks nothing of them
        assert one.records["1.3"].result.status is Status.PASSED


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
def test_plain_kinds_can_be_made(kind: Junk, helpers: dict[str, Any]) -> None:
    names = helpers | {"given": [1, 2]}
    if kind.name == "an exception that is raised":
        with pytest.raises(Exception) as raised:  # noqa: PT011
            eval(kind.text, names)
        with pytest.raises(type(raised.value)):
            str(raised.value)
    else:
        eval(kind.text, names)


@pytest.mark.parametrize("kind", TWISTED, ids=lambda kind: kind.name)
def test_twisted_kinds_change_the_parts_of_an_answer(kind: Junk, helpers: dict[str, Any]) -> None:
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
    answers = calls(junk.turning(Name("f"), Junk("all", "given"), 3))
    assert [next(answers) for _ in range(4)] == [5, 5, [1, 4], [1, 4]]


def test_a_method_is_replaced_with_its_object_left_out() -> None:
    source = "class C:\n    def g(self, a, b):\n        return a * b\ndef f(a, b):\n"
    source += "    return C().g(a, b)"
    assert next(calls(junk.plain(Name("C.g"), Junk("all", "given")), source)) == [1, 4]
    double = Junk("double", "lambda part: 2 * part")
    assert next(calls(junk.twisted(Name("C.g"), double), source)) == 8


def record_of(**fields: Any) -> Record:
    task = TaskResult("1.1", "Add", 0.0, 4.0, Status.FAILED)
    checks = [CheckResult("a.py::test", "It adds", fields.get("status", Status.FAILED))]
    return Record("", "", {}, replace(task, **fields), checks)


@pytest.mark.parametrize(
    ("fields", "whole", "says"),
    [
        ({}, True, ""),
        ({"score": 2.0, "status": Status.PARTIAL}, False, ""),
        ({"score": 2.0, "status": Status.PARTIAL}, True, "earns 2 of 4 points"),
        ({"status": Status.GRADER_ERROR}, False, "a check broke"),
        ({"status": Status.VIOLATION}, False, "is taken for an attack"),
        ({"message": "a\x1b[31m\nb"}, False, "the message holds '\\x1b'"),
    ],
)
def test_judgement(fields: dict[str, Any], whole: bool, says: str) -> None:
    case = Case(Kind.JUNK, "x", Submission("x", Path("x")), {}, "1.1", whole=whole)
    problem = problem_in(case, "1.1", record_of(**fields), 4.0)
    assert (problem.what if problem else "") == says
