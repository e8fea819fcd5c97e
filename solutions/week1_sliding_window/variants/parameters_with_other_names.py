"""task: 1.9
does: names its parameters in its own way, in the order of the statement
"""


def window_grid(stack, hw) -> WindowGrid:
    size, jump = 1, 1
    for layer in stack:
        if hasattr(layer, "kernel_size"):
            kernel, stride, dilation = (
                value[0] if isinstance(value, tuple) else value
                for value in (layer.kernel_size, layer.stride, layer.dilation)
            )
            size += (kernel - 1) * dilation * jump
            jump *= stride
    height, width = hw
    count = (max(0, 1 + (height - size) // jump), max(0, 1 + (width - size) // jump))
    return WindowGrid(size, jump, count)


def window_box(g, row, column):
    top, left = row * g.stride, column * g.stride
    return [left, top, left + g.size, top + g.size]
