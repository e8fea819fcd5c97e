"""How a check asks: what nobody waits for is settled in the end, and no more than that."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from detlab.checking.student import Student
from detlab.checking.workbench import StudentError, Workbench


class Posts:
    """Notes requests; what is posted fails when it is waited for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def perform(self, request: str, *arguments: Any) -> Any:
        self.asked.append(request)
        if request == "settle":
            raise StudentError("ValueError", "of a tool")
        return None


def test_what_was_posted_last_is_waited_for() -> None:
    posts = Posts()
    student = Student(posts.perform)
    student.fetch("net")
    student.tell("set_training", True)
    with pytest.raises(StudentError):
        student.settle()
    student.settle()
    assert posts.asked == ["fetch", "make", "settle"]


def test_what_nobody_waited_for_is_noted_wherever_its_error_arrives() -> None:
    """A worker tells it with the next answer, a bench in this process at once."""

    def in_this_process(request: str, *arguments: Any) -> Any:
        if request == "make":
            raise StudentError("ValueError", "of a tool")

    for perform in (Posts().perform, in_this_process):
        student = Student(perform)
        with contextlib.suppress(StudentError):
            student.tell("set_training", True)
            student.settle()
        assert [one.message for one in student.transcript] == ["of a tool"]


def test_an_answer_settles_what_came_before_it() -> None:
    posts = Posts()
    student = Student(posts.perform)
    student.seed(1)
    student.tell("set_training", True)
    student.fetch("net")
    student.settle()
    assert posts.asked == ["seed", "make", "fetch"]


def test_an_error_of_a_checks_function_is_worded_alike_wherever_it_arises() -> None:
    bench = Workbench({}, {})
    exec("def twice(function):\n    return 2 * function(7)", bench.namespace)
    student = Student(bench.perform_here)
    for error, words in (
        (ValueError("too many"), "ValueError: too many"),
        (KeyError(7), "ValueError: KeyError: 7"),
        (StudentError("TypeError", "of their own"), "ValueError: TypeError: of their own"),
    ):

        def refuse(number: int, error: Exception = error) -> None:
            raise error

        with pytest.raises(StudentError) as told:
            student.twice(function=student.give(refuse))
        assert str(told.value).startswith(words)
