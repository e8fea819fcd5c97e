"""task: 2.2
does: leaves out the + 1 when it counts windows
hint: An image as large as one window has one window; what does your formula say? Count places
along a side, not steps between them.
"""


def localization_grid(input_size: tuple[int, int]) -> WindowGrid:
    rows, columns = ((side - 38) // 4 for side in input_size)
    return WindowGrid(38, 4, (rows, columns))
