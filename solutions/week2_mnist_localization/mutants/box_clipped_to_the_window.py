"""task: 2.4
does: cuts off what sticks out of the window
hint: None of your numbers is below 0 or above 1. What does the statement say about a box that
sticks out?
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
    targets = torch.stack([torch.ones_like(left), digits, left, top, right, bottom], 1)
    targets[:, 2:] = targets[:, 2:].clamp(0, 1)
    return targets * seen[:, None]
