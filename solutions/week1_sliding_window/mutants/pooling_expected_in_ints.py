"""task: 1.9
does: window_grid crashes on a pooling layer whose settings are pairs
hint: It works with `MaxPool2d(2)` and not with `MaxPool2d((2, 2))`. In how many forms may a
pooling layer store its settings?
"""


def window_grid(layers: Iterable[nn.Module], input_size: tuple[int, int]) -> WindowGrid:
    size, jump = 1, 1
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            size += (layer.kernel_size[0] - 1) * layer.dilation[0] * jump
            jump *= layer.stride[0]
        elif isinstance(layer, nn.MaxPool2d):
            size += (layer.kernel_size - 1) * layer.dilation * jump
            jump *= layer.stride
    rows, columns = (max(0, (side - size) // jump + 1) for side in input_size)
    return WindowGrid(size, jump, (rows, columns))
