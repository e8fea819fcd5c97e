"""task: 2.4
does: fills only windows that contain the whole box
hint: Count your positives: windows that see a part of the digit are missing. When do two
rectangles share some area?
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
    seen = (left >= 0) & (right <= 1) & (top >= 0) & (bottom <= 1)
    digits = labels[:, None, None].expand_as(seen)
    targets = torch.stack([torch.ones_like(left), digits, left, top, right, bottom], 1)
    return targets * seen[:, None]
