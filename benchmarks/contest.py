"""What the benchmarks of detection share: contests of programs, and boxes to hold them with."""

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from rich.console import Console
from torch import Tensor

SIDE = 300  # pixels; torchvision works in them
console = Console(width=max(110, Console().width))
Image = dict[str, Tensor]


@dataclass(frozen=True)
class Contest:
    """One thing that several programs do.

    Attributes:
        name: of the thing.
        goal: how many times the seconds of ours the fastest peer should need.
        ours: the course's own.
        peers: the others, by name.
    """

    name: str
    goal: float
    ours: Callable[[], object]
    peers: dict[str, Callable[[], object]]


def processor_seconds(function: Callable[[], object]) -> float:
    """Return the processor time of one call, without collecting garbage, as in `timeit`."""
    gc.disable()
    start = time.process_time()
    function()
    seconds = time.process_time() - start
    gc.enable()
    return seconds


def same(name: str, ours: float, other: float, tolerance: float = 1e-3) -> None:
    """Stop the benchmark where two programs do not compute the same."""
    if abs(ours - other) > tolerance * (1 + abs(other)):
        raise SystemExit(f"{name}: {ours:.6f} here, {other:.6f} there; nothing to compare")


def medians_of(contest: Contest, rounds: int) -> dict[str, float]:
    """Time all programs of a contest, one after another, so many times; in seconds, by name."""
    programs = {"detlab": contest.ours, **contest.peers}
    for program in programs.values():
        program()
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            times[name].append(processor_seconds(program))
    return {name: statistics.median(values) for name, values in times.items()}


# Inputs


def random_boxes(rng: torch.Generator, count: int) -> Tensor:
    """Return `xyxy` boxes in fractions, sides from 0.1 to 0.5."""
    sides = 0.1 + 0.4 * torch.rand(count, 2, generator=rng)
    corners = (1 - sides) * torch.rand(count, 2, generator=rng)
    return torch.cat([corners, corners + sides], 1)


def random_labels(rng: torch.Generator, count: int, classes: int) -> Tensor:
    """Return labels from 1 to classes - 1."""
    return torch.randint(1, classes, (count,), generator=rng)
