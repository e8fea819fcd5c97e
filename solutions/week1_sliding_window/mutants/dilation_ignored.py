"""task: 1.9
does: window_grid does not look at dilation
hint: Stacks without dilation come out right. How far apart are the first and the last cell that a
dilated kernel reads?
"""


def as_int(value):
    return value if isinstance(value, int) else value[0]


def window_grid(layers: Iterable[nn.Module], input_size: tuple[int, int]) -> WindowGrid:
    size, jump = 1, 1
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            size += (as_int(layer.kernel_size) - 1) * jump
            jump *= as_int(layer.stride)
    rows, columns = (max(0, (side - size) // jump + 1) for side in input_size)
    return WindowGrid(size, jump, (rows, columns))
