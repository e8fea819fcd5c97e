"""task: 2.4
does: divides by the stride instead of the window's size
hint: When the box fills its window, your numbers are not 0, 0, 1, 1. A fraction of what do you
compute?
"""


def encode_targets(boxes: Tensor, labels: Tensor, grid: WindowGrid) -> Tensor:
    rows, columns = grid.count
    tops = torch.arange(rows)[:, None] * grid.stride
    lefts = torch.arange(columns) * grid.stride
    x_min, y_min, x_max, y_max = (SIDE * boxes).T[..., None, None]
    left, top, right, bottom = torch.broadcast_tensors(
        (x_min - lefts) / grid.stride,
        (y_min - tops) / grid.stride,
        (x_max - lefts) / grid.stride,
        (y_max - tops) / grid.stride,
    )
    ratio = grid.size / grid.stride
    seen = (left < ratio) & (right > 0) & (top < ratio) & (bottom > 0)
    digits = labels[:, None, None].expand_as(seen)
    targets = torch.stack([torch.ones_like(left), digits, left, top, right, bottom], 1)
    return targets * seen[:, None]
