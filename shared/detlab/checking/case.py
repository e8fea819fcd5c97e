"""A failing case, as a visible check may show it: what was asked, what was expected, what came.

A hidden check's failure carries one, too, since both use the same assertions. There it goes no
further: what a grader tells of a failure are its texts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

# Requests that ask nothing of a student's code, so that what was called before was called last.
ASIDE = frozenset({"seed", "clock", "settle", "again"})


@dataclass(frozen=True, eq=False, repr=False)
class Case:
    """What was expected and what came, number by number. (No `repr` shows what it holds.)

    Attributes:
        what: what it is, for people: "The boxes".
        expected: (any shape) float64.
        got: the same shape, float64, finite.
        wrong: the same shape, bool: where they differ by more than the check allows.
    """

    what: str
    expected: Tensor
    got: Tensor
    wrong: Tensor


def plain_case(what: str, expected: Any, got: Any) -> Case | None:
    """Return the case of two tuples of as many numbers each; None for other values."""
    for value in (expected, got):
        if not isinstance(value, tuple) or not value:
            return None
        if any(type(number) not in (int, float) for number in value):
            return None
    if len(expected) != len(got):
        return None
    right, came = (torch.tensor([float(n) for n in v]).double() for v in (expected, got))
    return Case(what, right, came, right != came)


@dataclass(frozen=True, repr=False)
class Call:
    """A call of a student's code.

    Attributes:
        name: of the function, or of the class of the object that was called.
        arguments: each with its name, which is "" for those of an object.
    """

    name: str
    arguments: tuple[tuple[str, Any], ...]


class LastCall:
    """Carries out a check's requests, and knows what it called last.

    Args:
        perform: see `Workbench.perform`.

    Attributes:
        call: the last call; None when something else was asked since, such as a tool.
    """

    def __init__(self, perform: Callable[..., Any]):
        self.perform = perform
        self.call: Call | None = None

    def __call__(self, request: str, *arguments: Any) -> Any:
        """Carry out a request."""
        if request == "call":
            self.call = Call(arguments[0], tuple(arguments[1].items()))
        elif request == "invoke":
            self.call = Call(arguments[0].type_name, tuple(("", one) for one in arguments[1]))
        elif request not in ASIDE:
            self.call = None
        return self.perform(request, *arguments)
