"""What stand-ins share: they are asked what a student chooses, which may be out of all reason."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from detlab.checking.student import Student

MAX_SIZE = 2_000_000


def plainly(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function that works on numbers alone stand in: it needs no student."""

    def stand_in(student: Student, *arguments: Any, **named: Any) -> Any:
        given = [*arguments, *named.values()]
        require_sane(sum(one.numel() for one in given if isinstance(one, Tensor)))
        return function(*arguments, **named)

    return stand_in


def require_sane(size: int) -> None:
    """Refuse work that no check asks for: it would be the grader's time and memory.

    Raises:
        ValueError: more than two million numbers.
    """
    if size > MAX_SIZE:
        raise ValueError(f"{size:,} numbers are more than any check asks for")
