"""task: 2.4
does: lists the rows' and the columns' corners in two comprehensions
hint: Double the number of rows: do your two lists take more steps? Which function of torch counts
from 0 upwards by itself?
"""


def encode_targets(boxes: Tensor, labels: Tensor, grid: WindowGrid) -> Tensor:
    rows, columns = grid.count
    tops = torch.tensor([[i * grid.stride] for i in range(rows)])
    lefts = torch.tensor([j * grid.stride for j in range(columns)])
    x_min, y_min, x_max, y_max = (SIDE * boxes).T[..., None, None]
    in_windows = torch.broadcast_tensors(
        (x_min - lefts) / grid.size,
        (y_min - tops) / grid.size,
        (x_max - lefts) / grid.size,
        (y_max - tops) / grid.size,
    )
    left, top, right, bottom = in_windows
    seen = (left < 1) & (right > 0) & (top < 1) & (bottom > 0)
    digits = labels[:, None, None].expand_as(seen)
    targets = torch.stack([torch.ones_like(left), digits, left, top, right, bottom], 1)
    return targets * seen[:, None]
