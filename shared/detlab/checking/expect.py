"""The assertions of every check, visible or hidden.

A failure carries two texts. `message` is for the student in all cases: what was
expected, what came (type, shape, size of the error) and the likely cause.
`detail` holds values: a visible check prints it, a hidden one keeps it for staff.
Its `case`, numbers side by side, is for visible checks alone.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from detlab.checking.case import Case, plain_case
from detlab.checking.causes import likely_cause
from detlab.checking.student import Handle
from detlab.checking.values import TENSOR_KINDS
from detlab.checking.wording import apart, is_or_are, number


class CheckFailure(AssertionError):
    """A student's answer is not what the statement asks for."""

    def __init__(self, message: str, detail: str = "", case: Case | None = None):
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.case = case

    def __str__(self) -> str:
        return f"{self.message}\n{self.detail}" if self.detail else self.message


def fail(message: str, detail: str = "", case: Case | None = None) -> NoReturn:
    """End a check with a message for the student.

    Args:
        detail: values: a visible check prints them, a hidden one keeps them for staff.
        case: what was expected and what came, where a picture of it helps.
    """
    raise CheckFailure(message, detail, case)


def type_of(value: Any) -> str:
    """Name a value's type as a student would."""
    if value is None:
        return "None (is a `return` missing?)"
    if isinstance(value, Handle):
        return TENSOR_KINDS.get(value.type_name, value.type_name)
    return type(value).__name__


def expect_tensor(value: Any, what: str, shape: Sequence[int] | None = None) -> Tensor:
    """Take a value as a tensor of finite numbers.

    Args:
        value: a student's answer.
        what: what it is, for the message: "`area`'s answer".
        shape: the shape it must have exactly (nothing is broadcast), or None.

    Returns:
        The tensor.

    Raises:
        CheckFailure: another type, shape, or a NaN or infinity.
    """
    if not isinstance(value, Tensor):
        fail(f"{what} must be a torch.Tensor, not {type_of(value)}.")
    if shape is not None and tuple(value.shape) != tuple(shape):
        message = f"{what} must have shape {tuple(shape)}, not {tuple(value.shape)}."
        fail(f"{message}{shape_cause(tuple(value.shape), tuple(shape))}")
    if not bool(torch.isfinite(value).all()):
        kinds = "NaN" if bool(torch.isnan(value).any()) else "infinity"
        fail(f"{what} must hold finite numbers, not {kinds}.")
    return value


def expect_floats(value: Any, what: str, shape: Sequence[int] | None = None) -> Tensor:
    """Take a value as a tensor of finite floats, of this shape if one is given."""
    value = expect_tensor(value, what, shape)
    if not value.is_floating_point():
        fail(f"{what} must hold floats, not {value.dtype}.")
    return value


def shape_cause(actual: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """Guess how a wrong shape came about; the empty string when nothing is plain."""
    if sorted(actual) == sorted(expected):
        return " The sides are right but in another order: a `permute` is missing or wrong."
    if tuple(side for side in expected if side != 1) == actual:
        return " The sides of length 1 are gone: was something squeezed?"
    if len(actual) == len(expected) > 2 and actual[:-2] == expected[:-2]:
        more = [a - b for a, b in zip(actual[-2:], expected[-2:], strict=True)]
        if more[0] == more[1] and more[0] > 0 and more[0] % 2 == 0:
            return f" Height and width are {more[0]} too large: is something padded?"
    if math.prod(actual) == math.prod(expected):
        return " The number of elements is right: only the last reshape is off."
    return ""


def expect_close(
    value: Any,
    expected: Tensor,
    what: str,
    tolerance: float = 1e-5,
    cause: str | Callable[[Tensor], str] = "",
) -> Tensor:
    """Compare a tensor with the expected one, element by element.

    `|value - expected| <= tolerance * (1 + |expected|)`; the default 1e-5 is some hundred
    roundings of a float32, enough for a sum in another order and no more.

    Args:
        value: a student's answer.
        expected: (any shape) the right answer.
        what: what it is, for the message.
        tolerance: relative and absolute tolerance.
        cause: what to look at, or a function that finds it in the answer (float64), asked only
            when that is wrong; where it is empty, what the numbers tell.

    Raises:
        CheckFailure: another type or shape, not finite, or an element too far off.
    """
    actual = expect_tensor(value, what, expected.shape).to(torch.float64)
    if value.dtype == torch.bool and expected.dtype != torch.bool:
        fail(f"{what} must hold numbers, not booleans.")
    expected = expected.detach().to(torch.float64)
    excess = (actual - expected).abs() - tolerance * (1 + expected.abs())
    if expected.numel() == 0 or float(excess.max()) <= 0:
        return value
    wrong = int((excess > 0).sum())
    index = np.unravel_index(int(excess.argmax()), tuple(expected.shape))
    worst = tuple(int(one) for one in index)
    many = f" in {wrong} of {expected.numel()} elements" if expected.dim() else ""
    right, got = apart(float(expected[worst]), float(actual[worst]))
    words = cause(actual) if callable(cause) else cause
    where = f"At {list(worst)}: expected" if worst else "Expected"
    fail(
        f"{what} {is_or_are(what)} wrong{many}. {words or likely_cause(actual, expected)}".rstrip(),
        f"{where} {right}, got {got}.",
        Case(what, expected, actual, excess > 0),
    )


def expect_number(value: Any, what: str) -> float:
    """Take a value as one finite real number: an int, a float or a tensor of one element."""
    if isinstance(value, Tensor) and value.numel() == 1 and value.dtype != torch.bool:
        value = value.item()
    if type(value) not in (int, float):
        fail(f"{what} must be a number, not {type_of(value)}.")
    try:
        found = float(value)
    except OverflowError:
        fail(f"{what} is an int too large for a float.")
    if not math.isfinite(found):
        fail(f"{what} must be a finite number, not {found}.")
    return found


def expect_int(value: Any, what: str) -> int:
    """Take a value as an int: not a bool, not a float, not a tensor of several elements."""
    if isinstance(value, Tensor) and value.numel() == 1 and not value.is_floating_point():
        value = value.item()
    if type(value) is not int:
        fail(f"{what} must be an int, not {type_of(value)}.")
    return value


def expect_ints(value: Any, what: str, length: int) -> tuple[int, ...]:
    """Take a value as a tuple (or list, or record) of so many ints."""
    if (isinstance(value, Tensor) and value.dim() == 1) or isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, tuple | list):
        fail(f"{what} must be a tuple of {length} ints, not {type_of(value)}.")
    if len(value) != length:
        fail(f"{what} must hold {length} ints, not {len(value)} values.")
    of = what[0].lower() + what[1:]
    return tuple(expect_int(item, f"Each number of {of}") for item in value)


def shown(value: Any) -> str:
    """Return a plain value as a message shows it: numbers with an end, texts in quotes."""
    return number(value, 9) if type(value) in (int, float) else repr(value)


def expect_equal(value: Any, expected: Any, what: str, cause: str = "") -> None:
    """Compare two plain values of the same exact type."""
    if type(value) is not type(expected):
        fail(f"{what} must be of type {type(expected).__name__}, not {type_of(value)}.")
    if value != expected:
        fail(
            f"{what} {is_or_are(what)} not right. {cause}".rstrip(),
            f"Expected {shown(expected)}, got {shown(value)}.",
            plain_case(what, expected, value),
        )


def expect_keys(value: Any, keys: Iterable[str], what: str) -> dict[str, Any]:
    """Take a value as a dict that holds at least these keys."""
    if type(value) is not dict:
        fail(f"{what} must be a dict, not {type_of(value)}.")
    missing = [key for key in keys if key not in value]
    if missing:
        fail(f"{what} lacks the key{'s' * (len(missing) > 1)} {', '.join(map(repr, missing))}.")
    return value


def expect_list(value: Any, what: str, length: int | None = None) -> list[Any]:
    """Take a value as a list (or tuple), of so many items if a length is given."""
    if not isinstance(value, list | tuple):
        fail(f"{what} must be a list, not {type_of(value)}.")
    if length is not None and len(value) != length:
        fail(f"{what} must hold {length} items, not {len(value)}.")
    return list(value)


def expect_handle(value: Any, what: str, kind: str) -> Handle:
    """Take a value as an object that stayed with the student's code, such as a module."""
    if not isinstance(value, Handle):
        fail(f"{what} must be {kind}, not {type_of(value)}.")
    return value
