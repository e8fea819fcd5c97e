"""task: 3.3
does: clamps the product of width and height instead of both
hint: What is the product of two negative numbers? Look at boxes that lie apart in x and in y.
"""


def box_iou(boxes_a: Tensor, boxes_b: Tensor) -> Tensor:
    first = torch.maximum(boxes_a[:, None, :2], boxes_b[:, :2])
    last = torch.minimum(boxes_a[:, None, 2:], boxes_b[:, 2:])
    shared = (last - first).prod(-1).clamp(min=0)
    area_a, area_b = ((boxes[:, 2:] - boxes[:, :2]).prod(-1) for boxes in (boxes_a, boxes_b))
    union = area_a[:, None] + area_b - shared
    return torch.where(union > 0, shared / union.clamp(min=1e-12), 0.0)
