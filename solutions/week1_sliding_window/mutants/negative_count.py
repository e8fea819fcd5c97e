"""task: 1.9
does: window_grid returns negative counts for images that are much smaller than a window
hint: For a very small image your count is below zero. What should it be when no window fits?
"""


def window_grid(layers: Iterable[nn.Module], input_size: tuple[int, int]) -> WindowGrid:
    size, jump = 1, 1
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            settings = layer.kernel_size, layer.stride, layer.dilation
            kernel, stride, dilation = (v if isinstance(v, int) else v[0] for v in settings)
            size += (kernel - 1) * dilation * jump
            jump *= stride
    rows, columns = ((side - size) // jump + 1 for side in input_size)
    return WindowGrid(size, jump, (rows, columns))
