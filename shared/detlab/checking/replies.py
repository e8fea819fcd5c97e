"""What tools reply about a student's objects: taken as plain data of a known form, or not at all.

A tool runs in the student's process, on the student's classes: these may answer in its place. So a
reply is looked at, part by part, before a check reads it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from torch import Tensor

from detlab.checking.expect import expect_handle, expect_list, expect_tensor, fail, type_of
from detlab.checking.seen import what_is_seen
from detlab.checking.student import Handle, Student
from detlab.checking.workbench import StudentError

# No parameter of a task has more: who asks for more wants the grader's memory.
MOST_NUMBERS = 1 << 26
Calls = list[tuple[tuple[int, ...], bool]]


def expect_form(value: Any, form: Any, what: str) -> Any:
    """Take a value whose parts are all of the right types.

    Args:
        value: a tool's reply.
        form: a type (float takes ints, too), a list of one form for every item, a tuple of a form
            for each item, a dict of a form for each key that must be there, or a function of
            (value, what) that fails on what it does not take.
        what: what it tells of, for the message.

    Raises:
        CheckFailure: some part is of another type, or missing.
    """
    if isinstance(form, type):
        if type(value) is not form and not (form is float and type(value) is int):
            fail(f"{what} cannot be read: there is a {type_of(value)} for a {form.__name__}.")
    elif isinstance(form, list):
        for item in expect_list(value, what):
            expect_form(item, form[0], what)
    elif isinstance(form, tuple):
        for item, one in zip(expect_list(value, what, len(form)), form, strict=True):
            expect_form(item, one, what)
    elif isinstance(form, dict):
        if type(value) is not dict or not value.keys() >= form.keys():
            fail(f"{what} cannot be read: it must be a dict of {', '.join(form)}.")
        for key, one in form.items():
            expect_form(value[key], one, what)
    else:
        form(value, what)
    return value


def anything(value: Any, what: str) -> None:
    """Be the form of what is looked at later."""


def array(*dimensions: int) -> Any:
    """Return a form: an array of numbers, not empty, of one of these numbers of dimensions."""

    def expect_array(value: Any, what: str) -> None:
        if not isinstance(value, np.ndarray) or value.ndim not in dimensions or not value.size:
            fail(f"{what} cannot be read: there is a {type_of(value)} for an array of numbers.")

    return expect_array


def place(value: Any, what: str) -> None:
    """Be the form of a row and a column, or None."""
    if value is not None:
        expect_form(value, (int, int), what)


AXES = {
    **dict.fromkeys(("title", "xlabel", "ylabel"), str),
    "legend": [str],
    "lines": [{"label": str, "x": array(1), "y": array(1), "at": array(2), "style": str}],
    "images": [
        {"pixels": array(2, 3), "upright": bool, "whole": bool, "corners": (float,) * 4},
    ],
    "rectangles": [{"box": (float,) * 4, "colour": (float,) * 3, "filled": bool}],
    "texts": [{"text": str, "at": (float, float)}],
    "place": place,
}
FIGURE = {"pixels": array(3), "axes": [AXES]}


def axes_of(student: Student, figure: Any, what: str) -> list[dict[str, Any]]:
    """Describe what a figure shows, axes by axes (see the tool `describe_figure`).

    Lines, images and boxes count only where the figure's pixels have them.

    Args:
        figure: a student's answer.
        what: what it is, for the message: "`plot_times`' result".
    """
    figure = expect_handle(figure, what, "a Figure")
    try:
        described = student.tool("describe_figure", figure)
    except StudentError:
        if figure.type_name != "Figure":
            fail(f"{what} must be a matplotlib Figure, not {figure.type_name}.")
        raise
    what = f"What {what} shows"
    told = expect_form(described, FIGURE, what)
    pixels = told["pixels"]
    if pixels.dtype != np.uint8 or pixels.shape[2] != 3:
        fail(f"{what} cannot be seen: its pixels must be colours of 8 bits.")
    return what_is_seen(told["axes"], pixels)


def parameters_of(
    student: Student,
    module: Handle,
    what: str,
    count: int | None = None,
    first: int | None = None,
) -> list[Tensor]:
    """Return a module's registered parameters: finite tensors, none of them empty.

    Args:
        what: the module, for the message: "the network".
        count: how many there must be.
        first: so many numbers of each are enough, flat.
    """
    found = student.tool("parameters", module, first)
    parameters = [
        expect_tensor(weights, f"Each parameter of {what}")
        for weights in expect_list(found, f"The list of {what}'s parameters", count)
    ]
    if not all(weights.numel() and weights.is_floating_point() for weights in parameters):
        fail(f"Each parameter of {what} must hold numbers, floats.")
    return parameters


def shapes_of(student: Student, module: Handle, what: str) -> list[tuple[int, ...]]:
    """Return the shapes of a module's registered parameters, none of them empty.

    Args:
        what: the module, for the message: "the network".
    """
    what = f"The list of {what}'s parameters"
    shapes = expect_form(student.tool("parameter_shapes", module), [[int]], what)
    if not all(
        0 < math.prod(shape) <= MOST_NUMBERS and min(shape, default=1) > 0 for shape in shapes
    ):
        fail(f"{what} holds shapes that are none.")
    return [tuple(shape) for shape in shapes]


def calls_of(student: Student, record: Handle, what: str) -> Calls:
    """Return what a module was called with: each input's shape, and whether with gradients.

    Args:
        record: made by the tool `record_calls`.
        what: the module, for the message.
    """
    what = f"What {what} was called with"
    calls = expect_form(student.tool("recorded", record), [([int], bool)], what)
    return [(tuple(shape), gradients) for shape, gradients in calls]


def counted_call(
    student: Student, name: str, arguments: list[Any], warm_up: list[Any]
) -> tuple[int, Any, int]:
    """Call a student's function; return its steps, its result and how many threads ran before.

    Args:
        name: the function's.
        arguments, warm_up: see the tool `count_steps`.
    """
    told = student.tool("count_steps", student.fetch(name), arguments, warm_up)
    form = {"steps": int, "threads": int, "result": anything}
    told = expect_form(told, form, f"The count of `{name}`'s steps")
    return told["steps"], told["result"], told["threads"]


def timed_call(
    student: Student, name: str, arguments: list[Any], warm_up: list[Any]
) -> tuple[Any, float]:
    """Call a student's function; return its result and the processor seconds that it took.

    A grader reads them from the system's own account of the process, not from what it says.

    Args:
        name: the function's.
        arguments: in the order of the signature.
        warm_up: other arguments, for a first call: what is done once does not count.
    """
    function = student.fetch(name)
    student.tool("called", function, warm_up)
    before = student.clock()
    answer = student.tool("called", function, arguments)
    return answer, student.clock() - before
