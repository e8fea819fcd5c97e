"""task: 1.9
does: window_box returns the last pixel that belongs to the window
hint: Slice the image with your box: one row and one column of the window are missing. Are the
maxima inside the window, or just behind it?
"""


def window_box(grid: WindowGrid, i: int, j: int) -> tuple[int, int, int, int]:
    x_min, y_min = j * grid.stride, i * grid.stride
    return x_min, y_min, x_min + grid.size - 1, y_min + grid.size - 1
