"""What the graded trainings of all weeks share."""

import functools
from collections.abc import Callable
from typing import NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from detlab.checking.student import Student
from detlab.checking.workbench import StudentError
from detlab.weeks.loaders import TrainingProgress

Result = TypeVar("Result")


def once(measure: Callable[..., Result]) -> Callable[..., Result]:
    """Let a measure train once for all checks of a submission; what it raised, it raises again.

    Args:
        measure: takes a student first; its chance comes from `task_rng`, so that it is the same
            whichever of the task's checks is the first.
    """
    outcomes: WeakKeyDictionary[Student, Result | Exception] = WeakKeyDictionary()

    @functools.wraps(measure)
    def measured(student: Student, *arguments: object, **options: object) -> Result:
        if student not in outcomes:
            try:
                outcomes[student] = measure(student, *arguments, **options)
            except (AssertionError, StudentError) as failure:
                outcomes[student] = failure
        outcome = outcomes[student]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return measured


def seed_from(rng: torch.Generator) -> int:
    """Draw a seed."""
    return int(torch.randint(0, 2**31, (), generator=rng))


class Turn(NamedTuple):
    """How all images of a training, and of its measuring, are turned.

    A network learns turned digits as well as upright ones; weights that were learned elsewhere do
    not know them.
    """

    transposed: bool = False
    mirrored: bool = False
    upside_down: bool = False


UPRIGHT = Turn()


def turn_of(rng: torch.Generator) -> Turn:
    """Draw one of the eight ways to turn a square."""
    return Turn(*torch.randint(0, 2, (3,), generator=rng).bool().tolist())


def turned(images: Tensor, boxes: Tensor, turn: Turn) -> tuple[Tensor, Tensor]:
    """Turn square images and the boxes in them.

    Args:
        images: (N, C, S, S).
        boxes: (M, 4) `xyxy`, fractions.
    """
    if turn.transposed:
        images, boxes = images.transpose(-1, -2), boxes[:, [1, 0, 3, 2]]
    for wanted, axis, low in ((turn.mirrored, -1, 0), (turn.upside_down, -2, 1)):
        if wanted:
            images, boxes = images.flip(axis), boxes.clone()
            boxes[:, [low, low + 2]] = 1 - boxes[:, [low + 2, low]]
    return images.contiguous(), boxes


def words_on(progress: TrainingProgress, cpu_s: float) -> str:
    """Say what became of a training's budget; nothing if all of it was used in time."""
    steps, max_steps, out_of_time = progress
    if out_of_time:
        return (
            f" The training was stopped after {cpu_s:.0f} seconds of processor time, at step "
            f"{steps} of {max_steps}: a lighter network gets further."
        )
    return f" The training took {steps} of {max_steps} steps." if steps < max_steps else ""
