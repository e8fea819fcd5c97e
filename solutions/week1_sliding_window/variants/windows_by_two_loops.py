"""task: 1.5
does: two loops, x outermost, that write each window where it belongs
"""


def extract_windows(images: Tensor, size: int, stride: int) -> Tensor:
    n, c, height, width = images.shape
    lefts = range(0, width - size + 1, stride)
    tops = range(0, height - size + 1, stride)
    windows = torch.empty(n, len(tops), len(lefts), c, size, size, dtype=images.dtype)
    for j, x in enumerate(lefts):
        for i, y in enumerate(tops):
            windows[:, i, j] = images[:, :, y : y + size, x : x + size]
    return windows
