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
        cpu_s: seconds of this process's processor time, from now on; then passes are empty.
        seed: of the orders.
    """

    def __init__(self, *, batch_size: int, max_steps: int, cpu_s: float, seed: int):
        self.images = torch.empty(0)
        self.targets = torch.empty(0)
        self.batch_size = batch_size
        self.generator = torch.Generator().manual_seed(seed)
        self.progress = Progress(0, max_steps, False)
        self.ends_at = time.process_time() + cpu_s

    def add(self, images: Tensor, targets: Tensor) -> None:
        """Take more images in.

        Args:
            images: (N, C, H, W) uint8, 0 to 255; batches are float32 in [0, 1].
            targets: (N, …) float32.
        """
        self.images = torch.cat([self.images, images]) if len(self.images) else images
        self.targets = torch.cat([self.targets, targets]) if len(self.targets) else targets

    def __len__(self) -> int:
        return -(-len(self.images) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self.images), generator=self.generator)
        for rows in order.split(self.batch_size):
            steps, max_steps, _ = self.progress
            out_of_time = time.process_time() >= self.ends_at
            if out_of_time or steps == max_steps:
                self.progress = Progress(steps, max_steps, out_of_time)
                return
            self.progress = Progress(steps + 1, max_steps, False)
            yield self.images[rows].float() / 255, self.targets[rows]
