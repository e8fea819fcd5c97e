"""Whether a student's function does its own work, and leaves what it is given alone."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from detlab.checking.expect import fail
from detlab.checking.replies import anything, expect_form
from detlab.checking.student import Student


def expect_work_without(
    student: Student, packages: Sequence[str], name: str, **arguments: Any
) -> None:
    """Check that a function does its work without the libraries that do it ready-made.

    Args:
        packages: whose code must not run.
        arguments: in the order of the signature. Watched, the function must answer as it does
            otherwise.
    """
    watched = student.tool("call_and_watch", student.fetch(name), list(arguments.values()))
    form = {"packages": [str], "result": anything, "whole": bool}
    watched = expect_form(watched, form, "The watched call")
    if not watched["whole"]:
        fail(f"While `{name}` runs, Python's profiling must be left alone.")
    if not is_same(watched["result"], getattr(student, name)(**arguments)):
        fail(f"`{name}` answers otherwise when the code that it runs is looked at.")
    for package in packages:
        if package in watched["packages"]:
            fail(
                f"`{name}` runs code of `{package}`, which has such functions ready-made: use "
                "torch's own operations."
            )


def is_same(value: Any, other: Any) -> bool:
    """Say whether two answers are equal, but for roundings."""
    if isinstance(value, Tensor) and isinstance(other, Tensor):
        alike = value.shape == other.shape and value.dtype == other.dtype
        return alike and torch.allclose(value, other, rtol=1e-4, atol=1e-5, equal_nan=True)
    if isinstance(value, list | tuple) and isinstance(other, list | tuple):
        return len(value) == len(other) and all(map(is_same, value, other))
    if isinstance(value, dict) and isinstance(other, dict):
        return value.keys() == other.keys() and all(is_same(value[k], other[k]) for k in value)
    return type(value) is type(other)


def expect_untouched(student: Student, name: str, *arguments: Any) -> None:
    """Check that a student's function leaves its arguments as they are."""
    if student.tool("leaves_arguments_alone", student.fetch(name), list(arguments)) is not True:
        fail(f"`{name}` changed its arguments: work on a copy.")
