"""task: 1.9
does: window_grid goes through the layers twice, which an iterator allows only once
hint: A list of layers works, an iterator over the same layers does not. How often do you loop over
`layers`, and what is left of an iterator after the first time?
"""


def window_grid(layers: Iterable[nn.Module], input_size: tuple[int, int]) -> WindowGrid:
    def setting(layer, name):
        value = getattr(layer, name)
        return value if isinstance(value, int) else value[0]

    stride = 1
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            stride *= setting(layer, "stride")
    size, jump = 1, 1
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            size += (setting(layer, "kernel_size") - 1) * setting(layer, "dilation") * jump
            jump *= setting(layer, "stride")
    rows, columns = (max(0, (side - size) // stride + 1) for side in input_size)
    return WindowGrid(size, stride, (rows, columns))
