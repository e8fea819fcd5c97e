"""Whether a function leaves its arguments alone is seen by what it answers about them again."""

import pytest
import torch

from detlab.checking.expect import CheckFailure
from detlab.checking.own_work import Seeded, expect_untouched
from detlab.checking.student import Student
from detlab.checking.tools import tools_of
from detlab.checking.workbench import Workbench


def append_a_key(truths: list) -> None:
    truths[0]["taken"] = True


def double_in_place(truths: list) -> None:
    truths[0]["boxes"].mul_(2)


def cut_the_list(truths: list) -> None:
    truths.pop()


def answer_once(truths: list) -> float:
    value = float(truths[0]["boxes"].sum())
    truths[0]["boxes"].mul_(2)
    return value


def read(truths: list) -> torch.Tensor:
    return truths[0]["boxes"] * 2


def student_with(function) -> Student:
    bench = Workbench({"answer": function}, tools_of([]))
    return Student(bench.perform_here)


@pytest.mark.parametrize("change", [append_a_key, double_in_place, cut_the_list, answer_once])
def test_changes_inside_of_arguments_are_seen(change) -> None:
    truths = [{"boxes": torch.ones(2, 4)}, {"boxes": torch.ones(1, 4)}]
    with pytest.raises(CheckFailure):
        expect_untouched(student_with(change), "answer", truths)


def test_who_says_that_nothing_changed_must_answer_the_same_again() -> None:
    student = student_with(answer_once)
    truths = [{"boxes": torch.ones(2, 4)}]
    tools = dict(tools_of([]))
    lying = Workbench({"answer": answer_once}, tools)
    before = tools["itself"]
    kept = []

    def itself(value):
        kept.append(value)
        return [{"boxes": torch.ones(2, 4)}] if len(kept) > 1 else before(value)

    tools["itself"] = itself
    with pytest.raises(CheckFailure, match="asked again"):
        expect_untouched(Student(lying.perform_here), "answer", truths)
    with pytest.raises(CheckFailure):
        expect_untouched(student, "answer", truths)


def test_reading_is_fine_and_chance_begins_anew() -> None:
    expect_untouched(student_with(read), "answer", [{"boxes": torch.ones(2, 4)}])
    draw = student_with(lambda values, generator: values + torch.rand(3, generator=generator))
    expect_untouched(draw, "answer", torch.ones(3), Seeded(7))
    with pytest.raises(CheckFailure, match="asked again"):
        expect_untouched(student_with(lambda values: torch.rand(3)), "answer", torch.ones(3))
