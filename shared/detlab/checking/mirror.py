"""Build on the student's side a copy of a network that a check made."""

from typing import Any

from torch import nn

from detlab.checking.student import Handle, Student

SETTINGS: dict[type[nn.Module], tuple[str, ...]] = {
    nn.Conv2d: ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation"),
    nn.Linear: ("in_features", "out_features"),
    nn.MaxPool2d: ("kernel_size", "stride"),
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
    if isinstance(module, nn.Sequential):
        return student.new("torch.nn.Sequential", *(mirror(student, layer) for layer in module))
    kind = type(module)
    options: dict[str, Any] = {name: getattr(module, name) for name in SETTINGS[kind]}
    if isinstance(module, nn.Conv2d | nn.Linear):
        options["bias"] = module.bias is not None
    copy = student.new(f"torch.nn.{kind.__name__}", **options)
    state = module.state_dict()
    if state:
        if any(value.dtype.itemsize == 8 for value in state.values() if value.is_floating_point()):
            copy.method("double")
        copy.method("load_state_dict", dict(state))
    return copy
