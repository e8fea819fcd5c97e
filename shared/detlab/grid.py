"""The grid of windows that a stack of unpadded layers looks at."""

from typing import NamedTuple


class WindowGrid(NamedTuple):
    """Which windows of an image a convolutional network answers for.

    Output cell (i, j) answers for the square window whose top-left pixel is
    (row i * stride, column j * stride).

    Attributes:
        size: side of a window, pixels, at least 1.
        stride: pixels between neighbouring windows, the same in both directions, at least 1.
        count: (rows, columns) of the grid, each at least 0.
    """

    size: int
    stride: int
    count: tuple[int, int]
