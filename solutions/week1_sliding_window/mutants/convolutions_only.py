"""task: 1.9
does: window_grid passes over pooling layers as if they left the map alone
hint: Stacks without pooling come out right. A max-pooling is a small window that slides, too: what
does it do to size and jump?
"""


def window_grid(layers: Iterable[nn.Module], input_size: tuple[int, int]) -> WindowGrid:
    size, jump = 1, 1
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            size += (layer.kernel_size[0] - 1) * layer.dilation[0] * jump
            jump *= layer.stride[0]
    rows, columns = (max(0, (side - size) // jump + 1) for side in input_size)
    return WindowGrid(size, jump, (rows, columns))
