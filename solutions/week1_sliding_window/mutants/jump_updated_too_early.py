"""task: 1.9
does: window_grid multiplies the jump by a layer's own stride before it adds to the size
hint: A layer reads cells of the map below it. Is their distance the jump before this layer, or the
one after it?
"""


def window_grid(layers: Iterable[nn.Module], input_size: tuple[int, int]) -> WindowGrid:
    size, jump = 1, 1
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            settings = layer.kernel_size, layer.stride, layer.dilation
            kernel, stride, dilation = (v if isinstance(v, int) else v[0] for v in settings)
            jump *= stride
            size += (kernel - 1) * dilation * jump
    rows, columns = (max(0, (side - size) // jump + 1) for side in input_size)
    return WindowGrid(size, jump, (rows, columns))
