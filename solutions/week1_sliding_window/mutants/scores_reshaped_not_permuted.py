"""task: 1.5
does: slide brings the scores into the output's shape by reshape, which scatters them
hint: The shape is right, but the numbers sit in the wrong places: your scores come with k last.
Does `reshape` move an axis, or only cut the same row of numbers anew?
"""


def slide(net: nn.Module, images: Tensor, size: int, stride: int) -> Tensor:
    windows = extract_windows(images, size, stride)
    n, rows, columns = windows.shape[:3]
    scores = net(windows.reshape(-1, *windows.shape[3:]))
    return scores.reshape(n, -1, rows, columns)
