"""Tools on optimizers, schedules, checkpoints and loaders."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, StepLR


def sgd_for(module: nn.Module, rate: float) -> torch.optim.Optimizer:
    """Return plain SGD."""
    return torch.optim.SGD(module.parameters(), rate)


def rate_of(optimizer: torch.optim.Optimizer) -> float:
    """Return the rate of an optimizer's first group."""
    return float(optimizer.param_groups[0]["lr"])


def is_sgd(optimizer: Any) -> bool:
    """Say whether an optimizer is torch's SGD, or made from it."""
    return isinstance(optimizer, torch.optim.SGD)


class CountedLoader:
    """Batches in their order, and how often they were passed.

    Args:
        batches: what it yields.
    """

    def __init__(self, batches: list):
        self.batches = batches
        self.passes = 0

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[tuple]:
        self.passes += 1
        yield from self.batches


def counted_loader(batches: list) -> CountedLoader:
    """Return a loader that counts how often it is passed."""
    return CountedLoader(batches)


def passes_of(loader: CountedLoader) -> int:
    """Return how often a loader was passed."""
    return loader.passes


def groups_of(optimizer: torch.optim.Optimizer, module: nn.Module) -> list[dict[str, Any]]:
    """Describe an optimizer's groups: their settings, and the names of their parameters."""
    names = {id(parameter): name for name, parameter in module.named_parameters()}
    keys = ("lr", "momentum", "weight_decay", "dampening", "nesterov")
    return [
        {key: group.get(key) for key in keys}
        | {"names": [names.get(id(parameter), "?") for parameter in group["params"]]}
        for group in optimizer.param_groups
    ]


def rates_during(
    optimizer: torch.optim.Optimizer, schedule: LRScheduler, moments: list[int]
) -> list[list[float]]:
    """Step an optimizer and its schedule, and note each group's rate after so many iterations.

    Args:
        moments: iterations, rising.
    """
    noted, done = [], 0
    for moment in moments:
        while done < moment:
            optimizer.step()
            schedule.step()
            done += 1
        noted.append([float(group["lr"]) for group in optimizer.param_groups])
    return noted


def short_schedule(optimizer: torch.optim.Optimizer, every: int) -> LRScheduler:
    """Return a schedule that changes the rate every few steps."""
    return StepLR(optimizer, every, gamma=0.7)


def adam_for(module: nn.Module) -> torch.optim.Optimizer:
    """Return another optimizer with a state of its own."""
    return torch.optim.Adam(module.parameters(), 0.05)


def take_steps(
    module: nn.Module, optimizer: torch.optim.Optimizer, schedule: LRScheduler, count: int
) -> list[Tensor]:
    """Train on inputs from torch's own generator; return parameters and buffers after that."""
    width = next(module.parameters()).shape[1]
    for _step in range(count):
        loss = (module(torch.randn(4, width)) - 1).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return [value.detach().float().clone() for value in module.state_dict().values()]


def step_with(module: nn.Module, optimizer: torch.optim.Optimizer, gradients: list[Tensor]) -> None:
    """Take one step of an optimizer with these gradients, and leave none behind."""
    for parameter, gradient in zip(module.parameters(), gradients, strict=True):
        parameter.grad = gradient.clone()
    optimizer.step()
    for parameter in module.parameters():
        parameter.grad = None


def idle_steps(optimizer: torch.optim.Optimizer, schedule: LRScheduler, count: int) -> None:
    """Step an optimizer, which has no gradients, once, and its schedule so many times."""
    if count:  # once is enough: without gradients it does nothing, but slowly
        optimizer.step()
    for _step in range(count):
        schedule.step()


def sgd_of_rates(module: nn.Module, rates: list[float]) -> torch.optim.Optimizer:
    """Return plain SGD with a rate for each parameter."""
    pairs = zip(module.parameters(), rates, strict=True)
    return torch.optim.SGD([{"params": [one], "lr": rate} for one, rate in pairs], rates[0])


def sgd_with_momentum(module: nn.Module) -> torch.optim.Optimizer:
    """Return SGD with a state of its own."""
    return torch.optim.SGD(module.parameters(), 0.05, momentum=0.9, weight_decay=5e-4)


def bytes_of(file: io.BytesIO) -> Tensor:
    """Return what was written to a file."""
    return torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)


def file_of(content: Tensor) -> io.BytesIO:
    """Return a file in memory with some bytes, open for reading from its start."""
    return io.BytesIO(content.numpy().tobytes())


def open_file() -> io.BytesIO:
    """Return a file in memory, open for reading and writing bytes."""
    return io.BytesIO()


def reopened(file: io.BytesIO) -> io.BytesIO:
    """Return what was written to a file, open for reading from its start."""
    return io.BytesIO(file.getvalue())
