"""task: 1.9
does: window_box places the windows one window's size apart
hint: Cell (0, 0) is right and its neighbours lie too far away. Which field of the grid says how
far apart neighbouring windows are?
"""


def window_box(grid: WindowGrid, i: int, j: int) -> tuple[int, int, int, int]:
    size = grid.size
    return j * size, i * size, (j + 1) * size, (i + 1) * size
