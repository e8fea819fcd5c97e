"""Tools on networks and their gradients, run beside a student's objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

SETTINGS = (
    *("in_channels", "out_channels", "in_features", "out_features"),
    *("kernel_size", "stride", "padding", "dilation"),
)


def build(description: dict[str, Any]) -> nn.Module:
    """Build a module of torch.nn from its description (see `detlab.checking.mirror`)."""
    kind = getattr(nn, description["class"])
    if "layers" in description:
        return kind(*(build(layer) for layer in description["layers"]))
    state, options = description["state"], description["options"]
    if not state:
        return kind(**options)
    # Weights are given: to draw them first would take time.
    undrawn = type(kind.__name__, (kind,), {"reset_parameters": lambda self: None})
    module = undrawn(**options)
    module.__class__ = kind
    module.load_state_dict(state, assign=True)
    return module


class AskingModule(nn.Module):
    """A module that runs where the check is.

    Args:
        question: takes images, and whether gradients are on, and returns what to answer.
    """

    def __init__(self, question: Callable[..., Tensor]):
        super().__init__()
        self.question = question
        self.here = nn.Parameter(torch.zeros(1))  # for who asks where its parameters are

    def forward(self, images: Tensor) -> Tensor:
        """Ask the check."""
        return self.question(images, gradients=torch.is_grad_enabled())


def asking_module(question: Callable[..., Tensor]) -> AskingModule:
    """Return a module that asks the check."""
    return AskingModule(question)


def parameters(module: nn.Module, first: int | None = None) -> list[Tensor]:
    """Return a module's registered parameters, in the order of registration.

    Args:
        first: so many numbers of each, flat; None for all, in their shapes.
    """
    if first is None:
        return list(module.parameters())
    return [parameter.flatten()[:first] for parameter in module.parameters()]


def parameter_shapes(module: nn.Module) -> list[list[int]]:
    """Return the shapes of a module's registered parameters, in the order of registration."""
    return [list(parameter.shape) for parameter in module.parameters()]


def add_to_parameters(module: nn.Module, steps: list[Tensor]) -> None:
    """Change a module's parameters in place, as an optimizer's step does."""
    with torch.no_grad():
        for parameter, step in zip(module.parameters(), steps, strict=True):
            parameter.add_(step)


def set_parameters(module: nn.Module, values: list[Tensor]) -> None:
    """Give a module's parameters other values in place."""
    with torch.no_grad():
        for parameter, value in zip(module.parameters(), values, strict=True):
            parameter.copy_(value)


class Directions(list[Any]):
    """For each parameter its direction of steepest ascent, of length 1, or None.

    A check gets a handle to it, since it is not exactly a list.
    """


def slopes(module: nn.Module, arguments: list[Any], weights: list[Tensor]) -> dict[str, Any]:
    """Differentiate a weighted sum of a module's answers by each parameter.

    Args:
        weights: of the first answers, one tensor each; of the only one, if it is a tensor.

    Returns:
        "slopes": for each parameter the length of its gradient, 0 if there is none; "lengths": its
        own length; "frozen": whether it is not meant to learn; "directions": of the gradients, for
        `move_parameters`; "inputs": the gradients by the tensors among the arguments.
    """
    module.zero_grad()
    given = leaves_of(arguments)
    with torch.enable_grad():
        answers = flat(module(*given))
        total = sum((one * w).sum() for one, w in zip(answers, weights, strict=False))
        if isinstance(total, Tensor) and total.requires_grad:
            total.backward()
    told: list[float] = []
    directions = Directions()
    for one in module.parameters():
        told.append(0.0 if one.grad is None else float(one.grad.norm()))
        directions.append(one.grad / told[-1] if one.grad is not None and told[-1] else None)
    lengths = [float(one.detach().norm()) for one in module.parameters()]
    module.zero_grad()
    return {
        "slopes": told,
        "lengths": lengths,
        "frozen": [not one.requires_grad for one in module.parameters()],
        "directions": directions,
        "inputs": [one.grad for one in flat(given)],
    }


def leaves_of(values: list[Any]) -> list[Any]:
    """Copy tensors, in lists too, so that gradients can be taken by them."""
    return [
        leaves_of(list(one)) if isinstance(one, list | tuple) else one.clone().requires_grad_()
        for one in values
    ]


def flat(answers: Any) -> list[Tensor]:
    """Return the tensors among answers, those in lists too, in order."""
    if isinstance(answers, Tensor):
        return [answers]
    return [tensor for one in answers for tensor in flat(one)]


def move_parameters(module: nn.Module, directions: Directions, steps: list[float]) -> None:
    """Move each parameter along its direction (see `slopes`), by a step of its own."""
    with torch.no_grad():
        for one, along, step in zip(module.parameters(), directions, steps, strict=True):
            if step and along is not None:
                one.add_(along, alpha=step)


def set_parameter(module: nn.Module, number: int, value: Tensor) -> None:
    """Give one of a module's parameters another value in place."""
    with torch.no_grad():
        list(module.parameters())[number].copy_(value)


def share_parameter(module: nn.Module, name: str, source: Tensor, shape: list[int]) -> None:
    """Let a module's parameter be a view of another's memory.

    Args:
        module: owner of the parameter.
        name: the parameter's name, for example "weight".
        source: a parameter with as many elements.
        shape: the view's shape.
    """
    setattr(module, name, nn.Parameter(source.detach().view(shape)))


def share_weights(module: nn.Module, source: nn.Module) -> None:
    """Let a module's weight (and bias) be views of another module's, in its own shape."""
    for name, own in list(module.named_parameters(recurse=False)):
        if getattr(source, name) is not None:
            share_parameter(module, name, getattr(source, name), list(own.shape))


def layers(module: nn.Module) -> list[dict[str, Any]]:
    """Describe the direct children of a module: the class and the settings of each."""
    return [
        {"class": type(child).__name__, "module": child}
        | {name: getattr(child, name) for name in SETTINGS if hasattr(child, name)}
        | {"bias": getattr(child, "bias", None) is not None}
        for child in module.children()
    ]


def state(module: nn.Module) -> dict[str, Tensor]:
    """Return a module's parameters and buffers by name."""
    return dict(module.state_dict())


def set_training(module: nn.Module, training: bool) -> None:
    """Put a module into training or evaluation mode."""
    module.train(training)


def generator(seed: int) -> torch.Generator:
    """Return a fresh generator of random numbers."""
    return torch.Generator().manual_seed(seed)


def gradient(function: Callable[..., Tensor], first: Tensor, *others: Any) -> Tensor | None:
    """Differentiate a function's scalar result by its first argument; None if they are cut off."""
    return gradients(function, [first, *others], 1)[0]


def gradients(
    function: Callable[..., Tensor], arguments: list[Any], count: int
) -> list[Tensor | None]:
    """Differentiate a function's scalar result by its first arguments.

    Returns:
        For each of the `count` first arguments the gradient, None where it is cut off.
    """
    leaves = [argument.clone().requires_grad_() for argument in arguments[:count]]
    with torch.enable_grad():
        value = function(*leaves, *arguments[count:])
        if value.requires_grad:
            value.backward()
    return [leaf.grad for leaf in leaves]


def summed(function: Callable[..., dict[str, Tensor]]) -> Callable[..., Tensor]:
    """Return a function that adds up the terms which another one returns by name."""

    def total(*arguments: Any) -> Any:
        return sum(function(*arguments).values())

    return total
