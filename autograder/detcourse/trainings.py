"""What the graded trainings of all weeks share."""

import functools
from collections.abc import Callable
from typing import NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torchvision.ops import box_convert

from detcourse import truth
from detlab.checking.expect import fail
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


# A network whose boxes stay where they are when its image moves does not look at it: a table of
# answers has 0. By heart right networks of week 3 follow a move by 0.17 to 0.56 of its length (six
# seeds of four networks), and by 0.07 or more when they have just learned enough for a point.
FOLLOWING = 0.02
MOVES = 4


def share_followed(
    ask: Callable[[Tensor], Tensor],
    images: Tensor,
    boxes: list[Tensor],
    priors: Tensor,
    reach: int,
    rng: torch.Generator,
) -> float:
    """Move images, and say how far the boxes of their objects move with them.

    Args:
        ask: a network's offsets (N, P, 4) for some images.
        images: (N, C, H, W), as the network knows them.
        boxes: of each image, `xyxy` in fractions.
        priors: (P, 4) `cxcywh`.
        reach: most pixels in each direction.

    Returns:
        1 where all move as far as their images, 0 where none does.
    """
    corners = box_convert(priors, "cxcywh", "xyxy")
    best = [truth.box_iou(own, corners).argmax(1) for own in boxes]
    size = torch.tensor([images.shape[3], images.shape[2]])

    def centres(some: Tensor) -> list[Tensor]:
        offsets = ask(some)
        return [
            truth.decode_offsets(own[rows], priors[rows])[:, :2]
            for own, rows in zip(offsets, best, strict=True)
        ]

    before, done, whole = centres(images), 0.0, 0.0
    for _ in range(MOVES):
        steps = torch.randint(1, reach + 1, (len(images), 2), generator=rng)
        steps *= 1 - 2 * torch.randint(0, 2, steps.shape, generator=rng)
        pairs = zip(images, steps.tolist(), strict=True)
        moved = torch.stack([image.roll((y, x), (1, 2)) for image, (x, y) in pairs])
        for step, old, new in zip(steps, before, centres(moved), strict=True):
            path = step / size
            done += float(((new - old) * path).sum())
            whole += len(old) * float((path * path).sum())
    return done / whole


def expect_following(share: float) -> None:
    """Object to answers that stay the same when the image moves."""
    if not share >= FOLLOWING:
        fail(
            "When a scene moves by a few pixels, the network's boxes stay where they were: it must "
            "compute them from the image."
        )


def words_on(progress: TrainingProgress, cpu_s: float) -> str:
    """Say what became of a training's budget; nothing if all of it was used in time."""
    steps, max_steps, out_of_time = progress
    if out_of_time:
        return (
            f" The training was stopped after {cpu_s:.0f} seconds of processor time, at step "
            f"{steps} of {max_steps}: a lighter network gets further."
        )
    return f" The training took {steps} of {max_steps} steps." if steps < max_steps else ""
