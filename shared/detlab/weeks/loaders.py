"""The batches that a graded training sees, within its budget."""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from detlab.checking.student import Handle, Student

Targets = Tensor | list[Tensor]


class TrainingProgress(NamedTuple):
    """How far a training came: batches drawn, batches on offer, and whether time ran out."""

    steps: int
    max_steps: int
    out_of_time: bool


class BudgetedLoader:
    """Batches of images and targets, in a new order each pass, until the budget is spent.

    Args:
        batch_size: images in a batch; the last of a pass may be smaller.
        max_steps: batches in all; after them passes are empty.
        cpu_s: seconds of processor time, from the first pass on; then passes are empty.
        seed: of the orders.
        clock: tells the processor time; this process's, if not given.
    """

    def __init__(
        self,
        *,
        batch_size: int,
        max_steps: int,
        cpu_s: float,
        seed: int,
        clock: Callable[[], float] = time.process_time,
    ):
        self.clock = clock
        self.parts: list[tuple[Targets, ...]] = []
        self.length = 0
        self.batch_size = batch_size
        self.generator = torch.Generator().manual_seed(seed)
        self.progress = TrainingProgress(0, max_steps, False)
        self.cpu_s = cpu_s
        self.ends_at: float | None = None

    def add(self, images: Tensor, *targets: Targets) -> None:
        """Take more images in.

        Args:
            images: (N, C, H, W).
            targets: what belongs to the images, such as boxes and labels: tensors (N, …), or lists
                of N tensors.
        """
        self.parts.append((images, *targets))
        self.length += len(images)

    def __len__(self) -> int:
        return -(-self.length // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Targets, ...]]:
        if not self.parts:
            return
        if len(self.parts) > 1:
            self.parts = [tuple(map(joined, zip(*self.parts, strict=True)))]
        if self.ends_at is None:
            self.ends_at = self.clock() + self.cpu_s
        images, *targets = self.parts[0]
        order = torch.randperm(self.length, generator=self.generator)
        for rows in order.split(self.batch_size):
            steps, max_steps, _ = self.progress
            if steps == max_steps:
                return
            if self.clock() >= self.ends_at:
                self.progress = TrainingProgress(steps, max_steps, True)
                return
            self.progress = TrainingProgress(steps + 1, max_steps, False)
            yield images[rows], *(rows_of(values, rows) for values in targets)


class RepeatingLoader:
    """One batch again and again, until the budget is spent.

    Args:
        batch: what it yields: images first, then lists.
        times: how often.
        cpu_s: seconds of processor time, from the first on.
        clock: tells the processor time; this process's, if not given.
    """

    def __init__(
        self,
        batch: tuple[Targets, ...],
        times: int,
        cpu_s: float,
        clock: Callable[[], float] = time.process_time,
    ):
        self.batch = batch
        self.clock = clock
        self.progress = TrainingProgress(0, times, False)
        self.cpu_s = cpu_s
        self.ends_at: float | None = None

    def __len__(self) -> int:
        return self.progress.max_steps

    def __iter__(self) -> Iterator[tuple[Targets, ...]]:
        if self.ends_at is None:
            self.ends_at = self.clock() + self.cpu_s
        while self.progress.steps < self.progress.max_steps:
            steps, times, _ = self.progress
            if self.clock() >= self.ends_at:
                self.progress = TrainingProgress(steps, times, True)
                return
            self.progress = TrainingProgress(steps + 1, times, False)
            yield tuple(
                part.clone() if isinstance(part, Tensor) else [one.clone() for one in part]
                for part in self.batch
            )


def joined(parts: tuple[Targets, ...]) -> Targets:
    """Put parts behind each other."""
    if isinstance(parts[0], Tensor):
        return torch.cat(parts)
    return list(itertools.chain(*parts))


def rows_of(values: Targets, rows: Tensor) -> Targets:
    """Return some rows of a tensor, or items of a list."""
    return values[rows] if isinstance(values, Tensor) else [values[row] for row in rows.tolist()]


# A pass that was begun and given up waits here; so many may.
MOST_PASSES = 4


def offer(student: Student, loader: BudgetedLoader | RepeatingLoader) -> Handle:
    """Let a student's code pass through a loader of the check's: it asks for each batch here.

    So what is offered is counted here, and nothing that is not offered is there.
    """
    passes: dict[int, Iterator[tuple[Any, ...]]] = {}
    numbers = itertools.count()

    def begin() -> int:
        number = next(numbers)
        passes[number] = iter(loader)
        while len(passes) > MOST_PASSES:
            del passes[next(iter(passes))]  # that was not used for longest
        return number

    def batch(number: int) -> list[Any] | None:
        if number not in passes:
            return None
        passes[number] = passes.pop(number)  # the last one used
        found = next(passes[number], None)
        return None if found is None else list(found)

    asking = [student.give(begin), student.give(batch), len(loader)]
    return student.make("loader", "asking_loader", *asking)
