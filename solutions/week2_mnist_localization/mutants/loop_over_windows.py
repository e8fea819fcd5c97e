"""task: 2.4
does: goes through the windows one after another
hint: The targets are right, but two loops are left over rows and columns. Which axes would
`torch.arange` need so that broadcasting runs over all windows at once?
"""


def encode_targets(boxes: Tensor, labels: Tensor, grid: WindowGrid) -> Tensor:
    rows, columns = grid.count
    targets = torch.zeros(len(boxes), 6, rows, columns)
    for i in range(rows):
        for j in range(columns):
            corner = torch.tensor([j, i, j, i]) * grid.stride
            inside = (SIDE * boxes - corner) / grid.size
            centres = (inside[:, :2] + inside[:, 2:]) / 2
            seen = ((centres >= 0) & (centres < 1)).all(1)
            six = torch.cat([torch.ones(len(boxes), 1), labels[:, None], inside], 1)
            targets[:, :, i, j] = six * seen[:, None]
    return targets
