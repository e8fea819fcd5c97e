"""task: 2.4
does: makes the targets of each row of windows in a list comprehension
hint: A comprehension is a loop too: yours runs over the rows of the grid. What shape must the tops
of the windows have to broadcast?
"""


def encode_targets(boxes: Tensor, labels: Tensor, grid: WindowGrid) -> Tensor:
    rows, columns = grid.count
    lefts = torch.arange(columns) * grid.stride
    x_min, y_min, x_max, y_max = (SIDE * boxes).T[..., None]

    def row_of_targets(top: int) -> Tensor:
        inside = torch.broadcast_tensors(
            (x_min - lefts) / grid.size,
            (y_min - top) / grid.size,
            (x_max - lefts) / grid.size,
            (y_max - top) / grid.size,
        )
        x, y = (inside[0] + inside[2]) / 2, (inside[1] + inside[3]) / 2
        seen = (x >= 0) & (x < 1) & (y >= 0) & (y < 1)
        ones, digits = torch.ones_like(inside[0]), labels[:, None].expand_as(seen)
        return torch.stack([ones, digits, *inside], 1) * seen[:, None]

    return torch.stack([row_of_targets(i * grid.stride) for i in range(rows)], 2)
