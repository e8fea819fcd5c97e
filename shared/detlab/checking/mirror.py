"""Build on the student's side a copy of a network that a check made."""

from typing import Any

from torch import nn

from detlab.checking.student import Handle, Student

SETTINGS: dict[type[nn.Module], tuple[str, ...]] = {
    nn.Conv2d: ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation"),
    nn.Linear: ("in_features", "out_features"),
    nn.MaxPool2d: ("kernel_size", "stride"),
    nn.BatchNorm1d: ("num_features",),
    nn.BatchNorm2d: ("num_features",),
    nn.Dropout: ("p",),
    nn.ReLU: (),
    nn.Flatten: (),
    nn.Identity: (),
}


def mirror(student: Student, module: nn.Module) -> Handle:
    """Make an equal module for the student's code to work on.

    Args:
        module: one layer of `SETTINGS`' types, or an `nn.Sequential` of them.

    Returns:
        A handle to a module of the same class with the same settings, weights and dtype.
    """
    return student.make(type(module).__name__, "build", describe(module))


def describe(module: nn.Module) -> dict[str, Any]:
    """Describe a module in plain data, for `detlab.checking.tools.build`."""
    name = type(module).__name__
    if isinstance(module, nn.Sequential):
        return {"class": name, "layers": [describe(layer) for layer in module]}
    options: dict[str, Any] = {key: getattr(module, key) for key in SETTINGS[type(module)]}
    if isinstance(module, nn.Conv2d | nn.Linear):
        options["bias"] = module.bias is not None
    return {"class": name, "options": options, "state": dict(module.state_dict())}
