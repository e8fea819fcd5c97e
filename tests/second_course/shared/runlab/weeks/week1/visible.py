"""Visible checks of week 1."""

import torch

from detlab.checking.expect import expect_close, expect_equal, expect_list
from detlab.checking.student import Student
from detlab.checking.visible import visible
from runlab.runs import Runs
from runlab.weeks.week1.assertions import expect_runs


@visible("1.1")
def runs_of_a_string(student: Student) -> None:
    """`encode` counts the runs of a short string."""
    runs = student.encode(bits="0001011")
    expect_runs(runs, Runs("0", (3, 1, 1, 2)), "`encode`'s result")


@visible("1.1")
def runs_of_short_strings(student: Student) -> None:
    """`encode` takes a string of a single run, and the empty one."""
    answers = student.tool("each", student.fetch("encode"), ["11", ""])
    one, none = expect_list(answers, "The results", 2)
    expect_runs(one, Runs("1", (2,)), "The result for a single run")
    expect_runs(none, Runs("", ()), "The result for the empty string")


@visible("1.2")
def string_of_runs(student: Student) -> None:
    """`decode` writes runs out again."""
    bits = student.decode(runs=Runs("1", (2, 1, 3)))
    expect_equal(bits, "110111", "`decode`'s result", "Which bit comes first, and which next?")


@visible("1.2")
def short_enough(student: Student) -> None:
    """`pays` knows a long run from a blinking light, and what is as long either way."""
    expect_equal(student.pays(bits="00000000"), True, "`pays` of one long run")
    expect_equal(student.pays(bits="01010101"), False, "`pays` of a blinking light")
    expect_equal(student.pays(bits="001"), False, "`pays` of three bits in two runs")


@visible("1.3")
def chances_of_a_blinking_light(student: Student) -> None:
    """`learn` is sure of a blinking light, and of nothing that it never saw."""
    expected = torch.full((8,), 0.5)
    expected[0b010], expected[0b101] = 1, 0
    expect_close(student.learn(rows=["0101010101"]), expected, "`learn`'s result")
