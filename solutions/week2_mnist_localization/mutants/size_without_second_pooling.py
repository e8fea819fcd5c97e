"""task: 2.2
does: forgets what the second pooling adds to a window's size
hint: Your cells see a line of pixels more than you say. Go through the layers one by one: by how
much does a pooling layer widen the window?
"""


def localization_grid(input_size: tuple[int, int]) -> WindowGrid:
    size, stride = 1, 1
    for layer in LocalizationNet().layers:
        if isinstance(layer, nn.Conv2d):
            size += stride * (layer.kernel_size[0] - 1)
        elif isinstance(layer, nn.MaxPool2d):
            size, stride = size + (1 if stride == 1 else 0), 2 * stride
    rows, columns = ((side - size) // stride + 1 for side in input_size)
    return WindowGrid(size, stride, (rows, columns))
