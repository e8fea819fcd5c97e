"""task: 1.9
does: takes kernel times dilation for the reach of a dilated kernel
hint: Stacks without dilation come out right, dilated ones too wide. Draw a kernel of 3 with
dilation 2: how many cells from the first to the last that it reads?
"""


def window_grid(layers: Iterable[nn.Module], input_size: tuple[int, int]) -> WindowGrid:
    size, jump = 1, 1
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            settings = layer.kernel_size, layer.stride, layer.dilation
            kernel, stride, dilation = (v if isinstance(v, int) else v[0] for v in settings)
            reach = kernel * dilation
            size += (reach - 1) * jump
            jump *= stride
    rows, columns = (max(0, (side - size) // jump + 1) for side in input_size)
    return WindowGrid(size, jump, (rows, columns))
