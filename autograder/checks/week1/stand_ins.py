"""Right answers to functions that later tasks use, for students whose own are wrong.

They run in the grader and work on the student's modules through handles, so that
no solution comes near the student's code.
"""

import math

from torch import Tensor, nn

from detcourse.stand_ins import require_sane
from detlab.checking.mirror import mirror
from detlab.checking.student import Handle, Student


def build_network(student: Student) -> Handle:
    """Task 1.2."""
    layers = [("Conv2d", 3, 16, 5), ("ReLU",), ("MaxPool2d", 2), ("Flatten",)]
    layers += [("Linear", 400, 400), ("ReLU",), ("Linear", 400, 400), ("ReLU",), ("Linear", 400, 4)]
    made = [student.new(f"torch.nn.{name}", *sizes) for name, *sizes in layers]
    return student.new("torch.nn.Sequential", *made)


def linear_to_conv(student: Student, linear: Handle, in_shape: tuple[int, int, int]) -> Handle:
    """Task 1.3; it copies, so that sharing stays the business of task 1.4."""
    weight, bias = linear.get("weight"), linear.get("bias")
    if len(in_shape) != 3 or math.prod(in_shape) != weight.shape[1]:
        raise ValueError(f"a layer of shape {tuple(weight.shape)} does not fit {in_shape}")
    # Without drawing weights, which would be chance that a student's code does not use up.
    sides = in_shape[0], weight.shape[0], in_shape[1:]
    conv = nn.utils.skip_init(nn.Conv2d, *sides, bias=bias is not None)
    state = {"weight": weight.view(conv.weight.shape)} | ({} if bias is None else {"bias": bias})
    conv.to(weight.dtype).load_state_dict(state)
    return mirror(student, conv)


def convolutionalize(student: Student, net: Handle) -> Handle:
    """Task 1.4."""
    layers, channels = [], 1
    for layer in student.tool("layers", net):
        if layer["class"] == "Flatten":
            continue
        module = layer["module"]
        if layer["class"] == "Linear":
            side = math.isqrt(layer["in_features"] // channels)
            module = linear_to_conv(student, module, (channels, side, side))
            student.tool("share_weights", module, layer["module"])
            channels = layer["out_features"]
        channels = layer.get("out_channels", channels)
        layers.append(module)
    return student.new("torch.nn.Sequential", *layers)


def extract_windows(student: Student, images: Tensor, size: int, stride: int) -> Tensor:
    """Task 1.5, first function."""
    windows = images.unfold(2, size, stride).unfold(3, size, stride).permute(0, 2, 3, 1, 4, 5)
    require_sane(windows.numel())
    return windows


def slide(student: Student, net: Handle, images: Tensor, size: int, stride: int) -> Tensor:
    """Task 1.5, second function."""
    windows = extract_windows(student, images, size, stride)
    scores = net(windows.flatten(0, 2).contiguous())
    return scores.unflatten(0, windows.shape[:3]).permute(0, 3, 1, 2)


STAND_INS = {
    "1.2": {"build_network": build_network},
    "1.3": {"linear_to_conv": linear_to_conv},
    "1.4": {"convolutionalize": convolutionalize},
    "1.5": {"extract_windows": extract_windows, "slide": slide},
}
