"""Tools that run beside a student's objects and tell a check about them in plain data."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from detlab.checking.loader import BudgetedLoader

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def build(description: dict[str, Any]) -> nn.Module:
    """Build a module of torch.nn from its description (see `detlab.checking.mirror`)."""
    kind = getattr(nn, description["class"])
    if "layers" in description:
        return kind(*(build(layer) for layer in description["layers"]))
    state, options = description["state"], description["options"]
    if not state:
        return kind(**options)
    floats = [value.dtype for value in state.values() if value.is_floating_point()]
    module = kind(**options, dtype=floats[0])
    module.load_state_dict(state)
    return module


def parameters(module: nn.Module) -> list[Tensor]:
    """Return a module's registered parameters, in the order of registration."""
    return list(module.parameters())


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
    share_parameter(module, "weight", source.weight, list(module.weight.shape))
    if source.bias is not None:
        share_parameter(module, "bias", source.bias, list(module.bias.shape))


def layers(module: nn.Module) -> list[dict[str, Any]]:
    """Describe the direct children of a module: the class and the settings of each."""
    settings = ("in_channels", "out_channels", "in_features", "out_features", "kernel_size")
    settings += ("stride", "padding", "dilation")
    return [
        {"class": type(child).__name__, "module": child}
        | {name: getattr(child, name) for name in settings if hasattr(child, name)}
        | {"bias": getattr(child, "bias", None) is not None}
        for child in module.children()
    ]


class RecordedCalls(list):
    """What a module was called with: for each call the input's shape and whether with gradients.

    A check gets a handle to it, since it is not exactly a list, and reads it later.
    """


def record_calls(module: nn.Module) -> RecordedCalls:
    """Return a record that grows whenever the module is called."""
    calls = RecordedCalls()

    def note(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        calls.append((tuple(inputs[0].shape), torch.is_grad_enabled()))

    module.register_forward_pre_hook(note)
    return calls


def recorded(record: RecordedCalls | RecordedGradients) -> list:
    """Return what was recorded so far."""
    return list(record)


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
    leaf = first.clone().requires_grad_()
    with torch.enable_grad():
        value = function(leaf, *others)
        if not value.requires_grad:
            return None
        value.backward()
    return leaf.grad


def leaves_arguments_alone(function: Callable, arguments: list) -> bool:
    """Call a function; say whether the tensors that it was given are as they were."""
    tensors = [argument for argument in arguments if isinstance(argument, Tensor)]
    before = [tensor.clone() for tensor in tensors]
    function(*arguments)
    return all(map(torch.equal, tensors, before))


class StepCounter(TorchDispatchMode):
    """Count the steps that a call takes: Python's instructions and torch's operations."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def trace(self, frame: Any, event: str, argument: Any) -> Any:
        """Be Python's trace function."""
        frame.f_trace_opcodes = True
        self.steps += 1
        return self.trace

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        self.steps += 1
        return function(*arguments, **(options or {}))


def count_steps(function: Callable, arguments: list) -> int:
    """Call a function twice, and count the second call's steps: operations, not seconds.

    What is done once, such as an import, falls into the first call; the counting itself imports.

    Returns:
        The number of Python instructions and torch operations; -1 if the function stopped the
        count.
    """
    count_one_call(function, arguments)
    return count_one_call(function, arguments)


def count_one_call(function: Callable, arguments: list) -> int:
    """Count the steps of one call; -1 if the function stopped the count."""
    counter, before = StepCounter(), sys.gettrace()
    trace = counter.trace
    with counter:
        sys.settrace(trace)
        try:
            function(*arguments)
            whole = sys.gettrace() is trace
        finally:
            sys.settrace(before)
    return counter.steps if whole else -1


def call_and_listen(function: Callable, arguments: list) -> dict[str, Any]:
    """Call a function; return its result and how many characters it printed."""
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
        result = function(*arguments)
    return {"result": result, "printed": len(heard.getvalue())}


def linear_terms(outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    """Be a loss with two terms whose gradients do not depend on the outputs."""
    return {"first": (outputs * targets).sum(), "second": 3 * outputs.sum()}


def given_terms() -> Callable[[Tensor, Tensor], dict[str, Tensor]]:
    """Return `linear_terms`, for a training loop to minimise."""
    return linear_terms


class RecordedGradients(list):
    """The gradient that each backward pass left in a module's first parameter."""


def record_gradients(module: nn.Module) -> RecordedGradients:
    """Return a record that grows whenever the module's first parameter gets a gradient."""
    gradients = RecordedGradients()
    first = next(module.parameters())
    first.register_post_accumulate_grad_hook(lambda p: gradients.append(p.grad.detach().clone()))
    return gradients


def budgeted_loader(batch_size: int, max_steps: int, cpu_s: float, seed: int) -> BudgetedLoader:
    """Return a loader for a graded training, still empty (see `BudgetedLoader`)."""
    return BudgetedLoader(batch_size=batch_size, max_steps=max_steps, cpu_s=cpu_s, seed=seed)


def add_to_loader(loader: BudgetedLoader, images: Tensor, targets: Tensor) -> None:
    """Give a loader more images."""
    loader.add(images, targets)


def progress_of(loader: BudgetedLoader) -> tuple[int, int, bool]:
    """Return how far a training came: steps, steps on offer, whether time ran out."""
    return tuple(loader.progress)


def describe_figure(figure: Figure) -> list[dict[str, Any]]:
    """Describe what a figure shows: for each axes its labels, legend, lines, images, rectangles.

    Returns:
        One dict an axes: "title", "xlabel", "ylabel" (str), "legend" (list of str),
        "lines" (list of {"label", "x", "y"}; x and y are float64 arrays), "images" (list of
        float64 arrays), "rectangles" (list of {"box": (x_min, y_min, x_max, y_max) in data
        units, "colour": (red, green, blue) in [0, 1], "filled": bool}), "place": (row, column)
        in the grid of subplots, or None.
    """
    return [describe_axes(axes) for axes in figure.axes]


def describe_axes(axes: Any) -> dict[str, Any]:
    """Describe one axes of a figure."""
    legend = axes.get_legend()
    return {
        "title": axes.get_title(),
        "xlabel": axes.get_xlabel(),
        "ylabel": axes.get_ylabel(),
        "legend": [text.get_text() for text in legend.get_texts()] if legend else [],
        "lines": [
            {
                "label": str(line.get_label()),
                "x": floats(line.get_xdata()),
                "y": floats(line.get_ydata()),
            }
            for line in axes.get_lines()
        ],
        "images": [floats_of(image.get_array()) for image in axes.get_images()],
        "rectangles": [
            describe_rectangle(patch) for patch in axes.patches if hasattr(patch, "get_bbox")
        ],
        "place": place_of(axes),
    }


def place_of(axes: Any) -> tuple[int, int] | None:
    """Return an axes' row and column in its grid of subplots."""
    spec = axes.get_subplotspec()
    return (spec.rowspan.start, spec.colspan.start) if spec else None


def describe_rectangle(patch: Any) -> dict[str, Any]:
    """Describe a rectangle: its corners, the colour of its edge, whether it is filled."""
    x_min, y_min, x_max, y_max = (float(number) for number in patch.get_bbox().extents)
    red, green, blue, _ = (float(part) for part in patch.get_edgecolor())
    box = (x_min, y_min, x_max, y_max)
    filled = bool(patch.get_fill()) and patch.get_facecolor()[3] > 0
    return {"box": box, "colour": (red, green, blue), "filled": filled}


def floats_of(values: Any) -> Any:
    """Return an image's pixels as a float64 array, whatever they were."""
    return np.array(values, dtype=np.float64)


def floats(values: Any) -> Any:
    """Return numbers as a float64 array."""
    return np.array([float(value) for value in values])
