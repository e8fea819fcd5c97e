"""task: 2.2
does: counts (columns, rows)
hint: For square images your count is right, for others it is exchanged. Which comes first in
`input_size`, and which in `count`?
"""


def localization_grid(input_size: tuple[int, int]) -> WindowGrid:
    height, width = ((side - 38) // 4 + 1 for side in input_size)
    return WindowGrid(38, 4, (width, height))
