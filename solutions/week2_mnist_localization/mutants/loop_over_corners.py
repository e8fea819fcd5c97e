"""task: 2.4
does: lists the corners of all windows in a comprehension
hint: Your targets are vectorised, but Python still writes down each window's corner. Which function
of torch counts for you?
"""


def encode_targets(boxes: Tensor, labels: Tensor, grid: WindowGrid) -> Tensor:
    rows, columns = grid.count
    corners = [
        (j * grid.stride, i * grid.stride, j * grid.stride, i * grid.stride)
        for i in range(rows)
        for j in range(columns)
    ]
    corners = torch.tensor(corners).view(rows, columns, 4)
    inside = (SIDE * boxes[:, None, None] - corners) / grid.size
    centres = (inside[..., :2] + inside[..., 2:]) / 2
    seen = ((centres >= 0) & (centres < 1)).all(-1)
    digits = labels[:, None, None, None].expand(-1, rows, columns, 1)
    targets = torch.cat([torch.ones_like(inside[..., :1]), digits, inside], -1)
    return targets.movedim(-1, 1) * seen[:, None]
