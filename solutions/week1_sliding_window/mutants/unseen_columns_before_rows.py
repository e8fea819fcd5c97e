"""task: 1.6
does: unseen returns (columns, rows)
hint: Right for square images, and the wrong way round for others. In which order should the two
counts come?
"""


def unseen(height: int, width: int) -> tuple[int, int]:
    rows, columns = ((side - WINDOW) % STRIDE for side in (height, width))
    return columns, rows
