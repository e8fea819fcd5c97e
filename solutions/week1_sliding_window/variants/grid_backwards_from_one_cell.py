"""task: 1.9
does: walks from the output to the image for the size, multiplies strides, and counts layer by layer
"""


def number(value) -> int:
    return int(value[0]) if isinstance(value, (tuple, list)) else int(value)


def window_grid(layers: Iterable[nn.Module], input_size: tuple[int, int]) -> WindowGrid:
    steps = []
    for layer in layers:
        if isinstance(layer, (nn.Conv2d, nn.MaxPool2d)):
            kernel = number(layer.dilation) * (number(layer.kernel_size) - 1) + 1
            steps.append((kernel, number(layer.stride)))
    size, stride = 1, 1
    for kernel, step in reversed(steps):
        size = (size - 1) * step + kernel
        stride *= step
    count = []
    for side in input_size:
        for kernel, step in steps:
            side = (side - kernel) // step + 1 if side >= kernel else 0
        count.append(side)
    return WindowGrid(size=size, stride=stride, count=(count[0], count[1]))


def window_box(grid: WindowGrid, i: int, j: int) -> tuple[int, int, int, int]:
    size, step = grid.size, grid.stride
    return (step * j, step * i, step * j + size, step * i + size)
