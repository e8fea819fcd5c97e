"""task: 1.5
does: moves the channels by reshape instead of permute; right for one channel only
hint: The shape is right but pixels of different windows are mixed up. After `unfold` the channels
come before the windows: does `reshape` exchange axes?
"""


def extract_windows(images: Tensor, size: int, stride: int) -> Tensor:
    n, c = images.shape[:2]
    windows = images.unfold(2, size, stride).unfold(3, size, stride)
    rows, columns = windows.shape[2:4]
    return windows.reshape(n, rows, columns, c, size, size)
