"""Whether a student's function does its own work, and leaves what it is given alone."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from detlab.checking.expect import fail
from detlab.checking.replies import anything, expect_form
from detlab.checking.student import Handle, Student


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
    if isinstance(value, float) and isinstance(other, float):
        return math.isclose(value, other, rel_tol=1e-4, abs_tol=1e-5) or (
            math.isnan(value) and math.isnan(other)
        )
    if value is None or isinstance(value, bool | int | str):
        return type(value) is type(other) and bool(value == other)
    return type(value) is type(other)


class Seeded(NamedTuple):
    """An argument that is a generator with this seed, a new one for each call."""

    seed: int


def expect_untouched(student: Student, function: str | Handle, *arguments: Any) -> None:
    """Check that a student's function leaves its arguments as they are.

    It is asked twice about the very same objects, and must answer the same; and they must hold what
    they held. (An answer that is an object must be of the same class.)

    Args:
        function: its name, or a handle to it.
        arguments: in the order of the signature: data, handles, or `Seeded` generators.
    """
    what = f"`{function}`" if isinstance(function, str) else "The network"
    called = student.fetch(function) if isinstance(function, str) else function
    held = [
        one if isinstance(one, Handle | Seeded) else student.make("object", "itself", one)
        for one in arguments
    ]
    answers = []
    for _ in range(2):
        given = [
            student.make("Generator", "generator", one.seed) if isinstance(one, Seeded) else one
            for one in held
        ]
        answers.append(student.tool("called", called, given))
    if not is_same(*answers):
        fail(f"{what} answers otherwise when it is asked again about the same objects.")
    for one, before in zip(held, arguments, strict=True):
        if before is not one and not is_exactly(student.tool("itself", one), before):
            fail(f"{what} changed its arguments: work on a copy.")


def is_exactly(value: Any, other: Any) -> bool:
    """Say whether data are equal in every bit, and of the same types."""
    if type(value) is not type(other):
        return False
    if isinstance(value, Tensor):
        return value.dtype == other.dtype and torch.equal(value, other)
    if isinstance(value, list | tuple):
        return len(value) == len(other) and all(map(is_exactly, value, other))
    if isinstance(value, dict):
        return value.keys() == other.keys() and all(is_exactly(value[k], other[k]) for k in value)
    return bool(value == other)
