"""task: 2.4
does: fills only windows that hold the centre of the box
hint: A window that sees half of the digit but not its middle is empty in your targets. Which
share of the digit must a window see?
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
    x, y = (left + right) / 2, (top + bottom) / 2
    seen = (x > 0) & (x < 1) & (y > 0) & (y < 1)
    digits = labels[:, None, None].expand_as(seen)
    targets = torch.stack([torch.ones_like(left), digits, left, top, right, bottom], 1)
    return targets * seen[:, None]
