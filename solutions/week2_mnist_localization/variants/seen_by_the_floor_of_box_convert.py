"""task: 2.4
does: torchvision's `box_convert` gives the centre, and the floor of it in a window's frame is 0
"""

from torchvision.ops import box_convert


def encode_targets(boxes: Tensor, labels: Tensor, grid: WindowGrid) -> Tensor:
    rows, columns = grid.count
    i, j = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    corners = (torch.stack([j, i, j, i], -1) * grid.stride).reshape(-1, 4).float()
    inside = (boxes[:, None] * SIDE - corners) / grid.size
    centres = box_convert(inside, "xyxy", "cxcywh")[..., :2]
    seen = (centres.floor() == 0).all(-1, keepdim=True)
    names = labels[:, None, None].expand(-1, len(corners), 1)
    targets = torch.cat([seen, names, inside], -1) * seen
    return targets.mT.reshape(len(boxes), 6, rows, columns)
