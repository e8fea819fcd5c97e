"""Tools of the weeks that train: budgeted batches, and what happens during a training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils.data import DataLoader


class AskingLoader:
    """A loader whose batches lie where the check is.

    Args:
        begin: returns the number of a new pass.
        batch: takes it, and returns the pass's next batch, or None at its end.
        length: batches of a pass.
    """

    def __init__(
        self, begin: Callable[[], int], batch: Callable[[int], list[Any] | None], length: int
    ):
        self.begin = begin
        self.batch = batch
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        number = self.begin()
        while (parts := self.batch(number)) is not None:
            images, *targets = parts
            # Bytes cross faster than floats; networks get floats.
            yield images.float() / 255 if images.dtype == torch.uint8 else images, *targets


def asking_loader(
    begin: Callable[[], int], batch: Callable[[int], list[Any] | None], length: int
) -> AskingLoader:
    """Return a loader whose batches lie where the check is."""
    return AskingLoader(begin, batch, length)


def batches(dataset: Any, collate: Callable, batch_size: int) -> list:
    """Pass through a data set in order with torch's loader; return its batches."""
    return list(DataLoader(dataset, batch_size=batch_size, collate_fn=collate))


def learning_of(module: nn.Module, images: Tensor) -> dict[str, Any]:
    """Pass images forward and backward in training mode, through all but the last result.

    Args:
        module: returns several results, the first ones tensors with gradients.

    Returns:
        "dtypes": of the results but the last; "dead": how many parameters that are to learn get no
        gradient from them.
    """
    module.train()
    module.zero_grad()
    with torch.enable_grad():
        *results, _ = module(images)
        sum((result * torch.rand_like(result)).sum() for result in results).backward()
    dead = sum(p.requires_grad and p.grad is None for p in module.parameters())
    module.eval()
    return {"dtypes": [str(result.dtype) for result in results], "dead": int(dead)}


def linear_terms(outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    """Be a loss with two terms whose gradients do not depend on the outputs."""
    return {"first": (outputs * targets).sum(), "second": 3 * outputs.sum()}


def given_terms() -> Callable[[Tensor, Tensor], dict[str, Tensor]]:
    """Return `linear_terms`, for a training loop to minimise."""
    return linear_terms


class TermAsked(torch.autograd.Function):
    """A term of a loss whose value and gradient are known already."""

    @staticmethod
    def forward(ctx: Any, outputs: Tensor, value: Tensor, gradient: Tensor) -> Tensor:
        """Return the value."""
        ctx.save_for_backward(gradient.to(outputs.dtype))
        return value.clone()

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override]
        """Return the gradient by the outputs."""
        (gradient,) = ctx.saved_tensors
        return upstream * gradient, None, None


def asking_terms(question: Callable[..., Any]) -> Callable[[Tensor, Tensor], dict[str, Tensor]]:
    """Return a loss whose terms are computed where the check is.

    Args:
        question: takes outputs and targets, and returns each term's value and its gradient by the
            outputs.
    """

    def terms(outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        told = question(outputs, targets)
        return {name: TermAsked.apply(outputs, *parts) for name, parts in told.items()}

    return terms


class EpochsLoader:
    """A loader whose passes differ, as those of one that shuffles.

    Args:
        passes: the batches of each; when there are no more, the last pass comes again.

    Attributes:
        batch_size: images of the first batch, as of a `DataLoader` whose last batch may be smaller.
    """

    def __init__(self, passes: list[list[tuple[Tensor, Tensor]]]):
        self.passes = passes
        self.begun = 0
        self.batch_size = len(passes[0][0][0])

    def __len__(self) -> int:
        return len(self.passes[0])

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        self.begun += 1
        return iter(self.passes[min(self.begun, len(self.passes)) - 1])


def loader_of_epochs(passes: list[list[tuple[Tensor, Tensor]]]) -> EpochsLoader:
    """Return a loader whose passes differ."""
    return EpochsLoader(passes)


class TrainingRecord:
    """What happens to a module while it is trained (see `record_training`).

    Attributes:
        weights: its parameters before each call, as lists of tensors.
        backward: the gradient that was left in its first parameter by each backward pass, or by the
            last one where several come before one step of an optimizer.
        steps: that gradient when an optimizer took a step.
        stepped: whether no backward pass has come since the last step.
    """

    def __init__(self) -> None:
        self.weights: list[list[Tensor]] = []
        self.backward: list[Tensor] = []
        self.steps: list[Tensor] = []
        self.stepped = True
        self.hooks: list[Any] = []


def record_training(module: nn.Module) -> TrainingRecord:
    """Return a record that grows while the module is trained, until `training_record` reads it."""
    record, first = TrainingRecord(), next(module.parameters())

    def before_call(*_: Any) -> None:
        record.weights.append([parameter.detach().clone() for parameter in module.parameters()])

    def before_step(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        mine = any(first is p for group in optimizer.param_groups for p in group["params"])
        record.stepped = record.stepped or mine
        if mine and first.grad is not None:
            record.steps.append(first.grad.detach().clone())

    def after_backward(parameter: Any) -> None:
        # Another pass before the step adds to what the one before has left.
        start = len(record.backward) - (not record.stepped)
        record.backward[start:] = [parameter.grad.detach().clone()]
        record.stepped = False

    record.hooks = [
        module.register_forward_pre_hook(before_call),
        register_optimizer_step_pre_hook(before_step),
        first.register_post_accumulate_grad_hook(after_backward),
    ]
    return record


def training_record(record: TrainingRecord) -> dict[str, list]:
    """Return what was recorded of a training, and stop recording."""
    for hook in record.hooks:
        hook.remove()
    return {"weights": record.weights, "backward": record.backward, "steps": record.steps}
