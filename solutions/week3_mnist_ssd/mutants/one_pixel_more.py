"""task: 3.3
does: adds one to each side, as if coordinates were pixels
hint: In fractions of the image, how large is a side of 1? There is no "+ 1 pixel" anywhere.
"""


def box_iou(boxes_a: Tensor, boxes_b: Tensor) -> Tensor:
    first = torch.maximum(boxes_a[:, None, :2], boxes_b[:, :2])
    last = torch.minimum(boxes_a[:, None, 2:], boxes_b[:, 2:])
    shared = (last - first + 1).clamp(min=0).prod(-1)
    area_a, area_b = ((boxes[:, 2:] - boxes[:, :2] + 1).prod(-1) for boxes in (boxes_a, boxes_b))
    union = area_a[:, None] + area_b - shared
    return torch.where(union > 0, shared / union.clamp(min=1e-12), 0.0)
