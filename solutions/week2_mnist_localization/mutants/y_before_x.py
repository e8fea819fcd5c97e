"""task: 2.4
does: stores the box as (y_min, x_min, y_max, x_max)
hint: Channels 2 and 3 are exchanged, and so are 4 and 5. What does `xyxy` say about the order?
"""


def encode_targets(boxes: Tensor, labels: Tensor, grid: WindowGrid) -> Tensor:
    rows, columns = grid.count
    tops = torch.arange(rows)[:, None] * grid.stride
    lefts = torch.arange(columns) * grid.stride
    x_min, y_min, x_max, y_max = (SIDE * boxes).T[..., None, None]
    left, top, right, bottom = torch.broadcast_tensors(
        (x_min - lefts) / grid.size,
        (y_min - tops) / grid.size,
        (x_max - lefts) / grid.size,
        (y_max - tops) / grid.size,
    )
    seen = (left < 1) & (right > 0) & (top < 1) & (bottom > 0)
    digits = labels[:, None, None].expand_as(seen)
    targets = torch.stack([torch.ones_like(left), digits, top, left, bottom, right], 1)
    return targets * seen[:, None]
