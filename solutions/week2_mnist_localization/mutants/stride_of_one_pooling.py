"""task: 2.2
does: says a stride of 2, though two layers halve the map
hint: Your stride fits a network with one pooling layer. How far apart are the windows of two
neighbouring cells when each of several layers takes every second place?
"""


def localization_grid(input_size: tuple[int, int]) -> WindowGrid:
    rows, columns = ((side - 38) // 4 + 1 for side in input_size)
    return WindowGrid(38, 2, (rows, columns))
