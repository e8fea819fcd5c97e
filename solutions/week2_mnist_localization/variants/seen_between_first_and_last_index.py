"""task: 2.4
does: divides to find the first and the last row and column whose windows hold the centre
"""


def encode_targets(boxes: Tensor, labels: Tensor, grid: WindowGrid) -> Tensor:
    rows, columns = grid.count
    pixels = SIDE * boxes
    centres = (pixels[:, :2] + pixels[:, 2:]) / 2
    last = torch.floor(centres / grid.stride)
    first = torch.floor((centres - grid.size) / grid.stride) + 1
    i, j = torch.arange(rows)[None, :], torch.arange(columns)[None, :]
    in_columns = (first[:, :1] <= j) & (j <= last[:, :1])
    in_rows = (first[:, 1:] <= i) & (i <= last[:, 1:])
    seen = in_rows[:, None, :, None] & in_columns[:, None, None, :]
    targets = torch.empty(len(boxes), 6, rows, columns)
    targets[:, 0] = 1
    targets[:, 1] = labels[:, None, None]
    targets[:, 2::2] = (pixels[:, 0::2, None, None] - j[0] * grid.stride) / grid.size
    targets[:, 3::2] = (pixels[:, 1::2, None, None] - i[0][:, None] * grid.stride) / grid.size
    return targets.where(seen, 0.0)
