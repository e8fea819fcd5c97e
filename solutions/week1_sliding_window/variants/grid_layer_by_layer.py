"""task: 1.9
does: follows the map's size through the layers, and the window from the last layer back down
"""


def window_grid(layers: Iterable[nn.Module], input_size: tuple[int, int]) -> WindowGrid:
    steps = []
    for layer in layers:
        if hasattr(layer, "kernel_size"):
            values = []
            for name in ("kernel_size", "stride", "dilation"):
                value = getattr(layer, name)
                values.append(value[0] if isinstance(value, tuple | list) else value)
            steps.append(values)

    rows, columns = input_size
    for kernel, stride, dilation in steps:
        reach = dilation * (kernel - 1) + 1
        rows = 0 if rows < reach else 1 + (rows - reach) // stride
        columns = 0 if columns < reach else 1 + (columns - reach) // stride

    size = distance = 1
    for kernel, stride, dilation in reversed(steps):
        size = (size - 1) * stride + dilation * (kernel - 1) + 1
        distance *= stride
    return WindowGrid(size=size, stride=distance, count=(rows, columns))


def window_box(grid: WindowGrid, i: int, j: int) -> tuple[int, int, int, int]:
    rows = range(i * grid.stride, i * grid.stride + grid.size)
    columns = range(j * grid.stride, j * grid.stride + grid.size)
    return columns.start, rows.start, columns.stop, rows.stop
