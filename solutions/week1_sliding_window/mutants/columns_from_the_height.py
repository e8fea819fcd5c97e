"""task: 1.9
does: window_grid computes both counts from the height
hint: Square images come out right. Which of the two sides of the image decides how many columns
there are?
"""


def window_grid(layers: Iterable[nn.Module], input_size: tuple[int, int]) -> WindowGrid:
    size, jump = 1, 1
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            settings = layer.kernel_size, layer.stride, layer.dilation
            kernel, stride, dilation = (v if isinstance(v, int) else v[0] for v in settings)
            size += (kernel - 1) * dilation * jump
            jump *= stride
    count = max(0, (input_size[0] - size) // jump + 1)
    return WindowGrid(size, jump, (count, count))
