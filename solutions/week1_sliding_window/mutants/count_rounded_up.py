"""task: 1.9
does: window_grid rounds the number of windows up
hint: Your count is right only when the windows fill the image exactly. What happens to a window
that would reach beyond the border?
"""

from math import ceil


def window_grid(layers: Iterable[nn.Module], input_size: tuple[int, int]) -> WindowGrid:
    size, jump = 1, 1
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            settings = layer.kernel_size, layer.stride, layer.dilation
            kernel, stride, dilation = (v if isinstance(v, int) else v[0] for v in settings)
            size += (kernel - 1) * dilation * jump
            jump *= stride
    rows, columns = (max(0, ceil((side - size) / jump) + 1) for side in input_size)
    return WindowGrid(size, jump, (rows, columns))
