"""task: 1.9
does: window_grid assumes that pooling always moves by 2
hint: Poolings that move by 2 come out right, others do not. Does your function read a pooling
layer's stride, or assume it?
"""


def window_grid(layers: Iterable[nn.Module], input_size: tuple[int, int]) -> WindowGrid:
    size, jump = 1, 1
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            size += (layer.kernel_size[0] - 1) * layer.dilation[0] * jump
            jump *= layer.stride[0]
        elif isinstance(layer, nn.MaxPool2d):
            size += jump
            jump *= 2
    rows, columns = (max(0, (side - size) // jump + 1) for side in input_size)
    return WindowGrid(size, jump, (rows, columns))
