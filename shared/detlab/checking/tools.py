"""Tools that run beside a student's objects and tell a check about them in plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

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


def recorded(calls: RecordedCalls) -> list[tuple[tuple[int, ...], bool]]:
    """Return what was recorded so far."""
    return list(calls)


def describe_figure(figure: Figure) -> list[dict[str, Any]]:
    """Describe what a figure shows: for each axes its labels, legend and lines.

    Returns:
        One dict an axes: "title", "xlabel", "ylabel" (str), "legend" (list of str),
        "lines" (list of {"label", "x", "y"}; x and y are float64 arrays).
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
    }


def floats(values: Any) -> Any:
    """Return numbers as a float64 array."""
    return torch.as_tensor([float(value) for value in values], dtype=torch.float64).numpy()
