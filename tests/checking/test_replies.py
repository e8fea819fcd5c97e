"""Replies of tools are taken when all their parts are what they must be, and told otherwise."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from detlab.checking.expect import CheckFailure
from detlab.checking.replies import (
    anything,
    array,
    axes_of,
    calls_of,
    counted_call,
    expect_form,
    parameters_of,
)
from detlab.checking.student import Handle, Student
from detlab.checking.tools import tools_of
from detlab.checking.workbench import Workbench

FORM = {"name": str, "sides": [int], "pair": (float, bool), "rest": anything}
SOUND = {"name": "a", "sides": [1, 2], "pair": (0.5, True), "rest": object(), "more": 1}


def test_a_sound_reply_is_taken_as_it_is() -> None:
    assert expect_form(SOUND, FORM, "It") is SOUND
    assert expect_form([2, True], (float, bool), "It") == [2, True]  # ints are floats, too


@pytest.mark.parametrize(
    "part",
    [
        {"name": None},
        {"name": 3},
        {"sides": [1, 2.0]},
        {"sides": [True]},
        {"sides": 3},
        {"sides": torch.tensor([1, 2])},
        {"pair": (0.5,)},
        {"pair": (0.5, 1)},
        {"pair": ("0.5", True)},
    ],
)
def test_a_part_of_another_type_is_told(part: dict[str, Any]) -> None:
    with pytest.raises(CheckFailure, match="It "):
        expect_form(SOUND | part, FORM, "It")


@pytest.mark.parametrize("value", [None, [], "x", {"name": "a"}, np.ones(3)])
def test_what_is_no_such_dict_is_told(value: Any) -> None:
    with pytest.raises(CheckFailure, match="must be a dict of name, sides, pair, rest"):
        expect_form(value, FORM, "It")


@pytest.mark.parametrize("value", [[1.0], np.ones((2, 2)), np.ones(0), None])
def test_arrays_have_their_dimensions_and_are_not_empty(value: Any) -> None:
    expect_form(np.ones(2), array(1), "It")
    with pytest.raises(CheckFailure, match="an array of numbers"):
        expect_form(value, array(1), "It")


class Odd(torch.nn.Module):
    """A network that says of itself what it likes."""

    def __init__(self, said: Any):
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)
        self.said = said

    def parameters(self, recurse: bool = True) -> Any:
        return self.said


@pytest.fixture
def student() -> Student:
    def steps(xs: Any) -> int:
        return len(xs)

    bench = Workbench({"steps": steps}, tools_of([]))
    found = Student(bench.perform_here)
    found.bench = bench  # tests put objects on it
    return found


def on_bench(student: Student, value: object) -> Handle:
    """Put an object on the student's side."""
    return Handle(student, student.bench.keep(value))


def test_parameters_of_a_network(student: Student) -> None:
    net = on_bench(student, torch.nn.Linear(2, 3))
    assert [tuple(p.shape) for p in parameters_of(student, net, "the net", 2)] == [(3, 2), (3,)]
    with pytest.raises(CheckFailure, match="must hold 3 items"):
        parameters_of(student, net, "the net", 3)


@pytest.mark.parametrize(
    "said",
    [
        [None],
        [torch.ones(2), torch.zeros(0)],
        [torch.ones(2, dtype=torch.int64)],
        [torch.tensor(float("nan"))],
        ["weights"],
    ],
)
def test_odd_parameters_are_told(student: Student, said: Any) -> None:
    with pytest.raises(CheckFailure, match=r"[Ee]ach parameter of the net"):
        parameters_of(student, on_bench(student, Odd(said)), "the net")


def test_calls_are_shapes_and_gradients(student: Student) -> None:
    net = on_bench(student, torch.nn.Linear(2, 3))
    record = student.tool("record_calls", net)
    net(torch.ones(4, 2))
    assert calls_of(student, record, "the net") == [((4, 2), False)]
    odd = on_bench(student, OrderedDict(a=1))
    with pytest.raises(CheckFailure, match="What the net was called with"):
        calls_of(student, odd, "the net")


def test_steps_are_counted(student: Student) -> None:
    steps, result, threads = counted_call(student, "steps", [[1, 2, 3]], [[1]])
    assert (steps > 0, result, threads) == (True, 3, 1)


class Liar(Student):
    """Replies whatever a test says."""

    def __init__(self, reply: Any):
        super().__init__(lambda *request: reply)


def test_a_figure_is_described_or_told(student: Student) -> None:
    names = {"draw": drawing, "axes": lambda: drawing().axes[0]}
    student = Student(Workbench(names, tools_of([])).perform_here)
    with pytest.raises(CheckFailure, match="The figure must be a matplotlib Figure, not Axes"):
        axes_of(student, student.axes(), "The figure")
    figure = student.draw()
    (axes,) = axes_of(student, figure, "The figure")
    assert (axes["xlabel"], len(axes["lines"]), len(axes["images"])) == ("step", 1, 0)
    told = student.tool("describe_figure", figure)
    for lie in (None, [None], told | {"axes": [told["axes"][0] | {"legend": None}]}):
        with pytest.raises(CheckFailure, match="What The figure shows"):
            axes_of(Liar(lie), figure, "The figure")
    with pytest.raises(CheckFailure, match="its pixels must be colours"):
        axes_of(Liar(told | {"pixels": np.zeros((4, 4, 3))}), figure, "The figure")
    with pytest.raises(CheckFailure, match="must be a Figure, not None"):
        axes_of(Liar(told), None, "The figure")


def drawing() -> object:
    figure, axes = plt.subplots()
    axes.plot([0, 1, 2], [1, 3, 2], label="loss")
    axes.set_xlabel("step")
    return figure
