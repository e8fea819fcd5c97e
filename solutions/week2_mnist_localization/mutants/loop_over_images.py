"""task: 2.4
does: goes through the images one after another
hint: The targets are right, but each image is still handled by itself. Which axis in front would
let all boxes meet all windows at once?
"""


def encode_targets(boxes: Tensor, labels: Tensor, grid: WindowGrid) -> Tensor:
    rows, columns = grid.count
    tops = (torch.arange(rows) * grid.stride)[:, None].expand(rows, columns)
    lefts = (torch.arange(columns) * grid.stride).expand(rows, columns)
    corners = torch.stack([lefts, tops, lefts, tops])
    targets = torch.zeros(len(boxes), 6, rows, columns)
    for target, box, label in zip(targets, boxes, labels, strict=True):
        inside = (SIDE * box[:, None, None] - corners) / grid.size
        centre = (inside[:2] + inside[2:]) / 2
        seen = ((centre >= 0) & (centre < 1)).all(0)
        target[0] = seen
        target[1] = label * seen
        target[2:] = inside * seen
    return targets
