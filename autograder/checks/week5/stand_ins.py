"""What later tasks use in the place of wrong answers.

`boxes_from` is right, and runs in the grader. Of the blocks there are stand-ins of the right shapes
alone, beside the student's code: the check of task 5.3 asks only how they were put together.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from detcourse.week5 import truth
from detlab.checking.student import Handle, Student

MAX_SIZE = 1_000_000


def boxes_from(student: Student, *arguments: Any, **named: Any) -> Tensor:
    """Turn activations into boxes."""
    parts = [*arguments, *named.values()]
    if sum(part.numel() for part in parts) > MAX_SIZE:
        raise ValueError("these are more activations than any check asks for")
    return truth.boxes_from(*parts)


def stand_in_for(name: str) -> Callable[..., Handle]:
    """Return a function that makes a stand-in on the student's side."""

    def make(student: Student, *arguments: Any, **named: Any) -> Handle:
        return student.tool("stub", name, list(arguments), named)

    return make


STAND_INS = {
    "5.1": {name: stand_in_for(name) for name in ("ConvBlock", "OutputBlock")},
    "5.4": {"boxes_from": boxes_from},
}
