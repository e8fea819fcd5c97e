"""What a failure carries beside its texts, what was called last, and that nobody is told by it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from attacks.grading import build_course, hand_in, notebook_with, solved_notebook
from attacks.toys import WEEK
from torch import Tensor, nn

from detgrader.assignment import load_assignment
from detgrader.classroom.batch import grade_batch, take_in_all
from detgrader.classroom.outputs import Around, write_outputs
from detgrader.grading.outcomes import outcome_of
from detlab.checking.case import Case, LastCall, plain_case
from detlab.checking.expect import CheckFailure, expect_close, expect_equal
from detlab.checking.student import Student
from detlab.checking.workbench import StudentError, Workbench
from detlab.weeks.detection import expect_priors

SENTINEL = 47110815


def failure_of(assertion: Callable[..., Any], *arguments: Any) -> CheckFailure:
    with pytest.raises(CheckFailure) as failure:
        assertion(*arguments)
    return failure.value


def a_case(number: float = SENTINEL) -> Case:
    expected = torch.full((2, 3), float(number)).double()
    return Case(f"what {number}", expected, expected + 1, expected > 0)


def test_a_wrong_tensor_comes_with_its_case_and_the_same_texts_as_ever() -> None:
    right = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    failure = failure_of(expect_close, right + torch.tensor([0.0, 1.0]), right, "The answer")
    assert failure.message == "The answer is wrong in 2 of 4 elements."
    assert failure.detail == "At [0, 1]: expected 2, got 3."
    case = failure.case
    assert case is not None
    assert case.what == "The answer"
    assert case.expected.tolist() == right.tolist()
    assert case.got.tolist() == [[1, 3], [3, 5]]
    assert case.wrong.tolist() == [[False, True], [False, True]]


def test_tuples_of_numbers_have_a_case_and_other_values_none() -> None:
    case = failure_of(expect_equal, (0, 2, 3), (0, 1, 3), "The place").case
    assert case is not None
    assert case.wrong.tolist() == [False, True, False]
    assert failure_of(expect_equal, "a", "b", "The text").case is None
    for expected, got in (((1, 2), (1, 2, 3)), ((1, "a"), (1, "b")), ((True,), (False,)), ((), ())):
        assert plain_case("x", expected, got) is None
    assert failure_of(expect_close, torch.ones(2), torch.ones(3), "A shape").case is None


def test_priors_are_compared_in_the_order_of_the_answer() -> None:
    cells = torch.tensor([[[0.5, 0.5, 0.2, 0.2], [0.5, 0.5, 0.4, 0.1]]]).double()
    answer = cells.flip(1)[0].float()
    answer[0, 0] = 0.75  # of the wider one, which here comes first
    case = failure_of(expect_priors, answer, cells, "The priors").case
    assert case is not None
    assert case.wrong.tolist() == [[True, False, False, False], [False] * 4]


def test_a_case_shows_in_no_text_of_its_failure() -> None:
    failure = CheckFailure("wrong", "a detail", a_case())
    assert str(failure) == "wrong\na detail"
    assert repr(failure) == "CheckFailure('wrong')"
    assert str(SENTINEL) not in repr(failure.case)
    assert str(SENTINEL).encode() not in pickle.dumps(outcome_of(failure))
    assert outcome_of(failure) == outcome_of(CheckFailure("wrong", "a detail"))


HIDDEN = f'''\
import pytest
import torch

from detlab.checking.case import Case
from detlab.checking.expect import fail

pytestmark = pytest.mark.task("1.1", points=40)


def test_sum(student, rng):
    """`add` adds."""
    student.add(first=1, second=2)
    values = torch.full((2, 3), {SENTINEL}.0).double()
    fail("`add` does not add.", "a detail", Case("what {SENTINEL}", values, values, values > 0))
'''


def test_a_hidden_checks_case_reaches_no_file_of_a_graded_class(tmp_path: Path) -> None:
    course = build_course(tmp_path / "course")
    (check,) = course.checks(WEEK).glob("test_1_1*.py")
    check.write_text(HIDDEN, "utf-8")
    notebook = notebook_with(solved_notebook(course), {})
    path = hand_in(notebook, tmp_path / "ada.ipynb")
    batch = grade_batch(course, WEEK, take_in_all([path]), 1, secret="secret")
    write_outputs(batch, tmp_path / "out", "secret", load_assignment(course, WEEK), Around())
    files = [one for one in (tmp_path / "out").rglob("*") if one.is_file()]
    texts = {one.name: one.read_text("utf-8") for one in files}
    assert {"results.json", "staff.log", "staff.html", "ada.html"} <= texts.keys()
    assert "`add` does not add." in texts["results.json"]
    assert "a detail" in texts["staff.log"]
    told = [name for name, text in texts.items() if str(SENTINEL) in text or "4.711" in text]
    assert told == []


def area(width: float, height: float) -> float:
    return width * height


def a_tensor(boxes: Tensor) -> Tensor:
    boxes *= 0
    return boxes


@pytest.fixture
def last() -> LastCall:
    def fails() -> None:
        raise ValueError("no")

    namespace = {"area": area, "a_tensor": a_tensor, "net": nn.Identity(), "fails": fails}
    tools = {"itself": lambda value: value}
    return LastCall(Workbench(namespace, tools).perform_here)


def test_the_last_call_is_remembered_with_what_it_was_given(last: LastCall) -> None:
    student = Student(last)
    student.area(width=2.0, height=3.0)
    assert last.call is not None
    assert (last.call.name, last.call.arguments) == ("area", (("width", 2.0), ("height", 3.0)))
    student.seed(1)
    assert last.call.name == "area"
    student.a_tensor(boxes=torch.ones(1, 4))
    assert last.call.arguments[0][1].tolist() == [[1, 1, 1, 1]]  # what their code did to it is not
    with pytest.raises(StudentError):
        student.fails()
    assert last.call.name == "fails"


def test_what_was_asked_in_another_way_is_not_taken_for_the_call_before(last: LastCall) -> None:
    student = Student(last)
    for ask in (lambda: student.tool("itself", 1), lambda: student.fetch("area")):
        student.area(width=2.0, height=3.0)
        ask()
        assert last.call is None
    net = student.fetch("net")
    net(torch.ones(2))
    assert last.call is not None
    assert last.call.name == "Identity"
