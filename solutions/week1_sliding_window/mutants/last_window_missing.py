"""task: 1.5
does: stops one step early when the last window would end exactly at the border
hint: A window that ends exactly at the border is missing. Python's `range` leaves out its end:
which corner is the last that a window may have?
"""


def extract_windows(images: Tensor, size: int, stride: int) -> Tensor:
    n, c, height, width = images.shape
    tops = range(0, height - size, stride)
    lefts = range(0, width - size, stride)
    windows = images.new_empty((n, len(tops), len(lefts), c, size, size))
    for i, top in enumerate(tops):
        for j, left in enumerate(lefts):
            windows[:, i, j] = images[:, :, top : top + size, left : left + size]
    return windows
