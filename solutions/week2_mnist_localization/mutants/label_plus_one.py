"""task: 2.4
does: adds 1 to the label, as if 0 were the background
hint: Your labels run from 1 to 10. Which channel already tells a window with a digit from one
without?
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
    digits = (labels + 1)[:, None, None].expand_as(seen)
    targets = torch.stack([torch.ones_like(left), digits, left, top, right, bottom], 1)
    return targets * seen[:, None]
