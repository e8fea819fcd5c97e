"""The batches that a graded training sees, within its budget."""

import time
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor


class Progress(NamedTuple):
    """How far a training came: batches drawn, batches on offer, and whether time ran out."""

    steps: int
    max_steps: int
    out_of_time: bool


class BudgetedLoader:
    """Batches of images and targets, in a new order each pass, until the budget is spent.

    Args:
        batch_size: images in a batch; the last of a pass may be smaller.
        max_steps: batches in all; after them passes are empty.
        cpu_s: seconds of this process's processor time, from the first pass on; then passes are
            empty.
        seed: of the orders.
    """

    def __init__(self, *, batch_size: int, max_steps: int, cpu_s: float, seed: int):
        self.parts: list[tuple[Tensor, Tensor]] = []
        self.length = 0
        self.batch_size = batch_size
        self.generator = torch.Generator().manual_seed(seed)
        self.progress = Progress(0, max_steps, False)
        self.cpu_s = cpu_s
        self.ends_at: float | None = None

    def add(self, images: Tensor, targets: Tensor) -> None:
        """Take more images in.

        Args:
            images: (N, C, H, W) uint8, 0 to 255; batches are float32 in [0, 1].
            targets: (N, …) float32.
        """
        self.parts.append((images, targets))
        self.length += len(images)

    def __len__(self) -> int:
        return -(-self.length // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        if not self.parts:
            return
        if len(self.parts) > 1:
            images, targets = zip(*self.parts, strict=True)
            self.parts = [(torch.cat(images), torch.cat(targets))]
        if self.ends_at is None:
            self.ends_at = time.process_time() + self.cpu_s
        images, targets = self.parts[0]
        order = torch.randperm(self.length, generator=self.generator)
        for rows in order.split(self.batch_size):
            steps, max_steps, _ = self.progress
            out_of_time = time.process_time() >= self.ends_at
            if out_of_time or steps == max_steps:
                self.progress = Progress(steps, max_steps, out_of_time)
                return
            self.progress = Progress(steps + 1, max_steps, False)
            yield images[rows].float() / 255, targets[rows]
