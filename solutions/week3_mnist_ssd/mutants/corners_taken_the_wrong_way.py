"""task: 3.3
does: takes the smaller of the upper left corners and the larger of the lower right ones
hint: Draw two boxes that overlap: is the left side of what they share the smaller or the larger
of their left sides?
"""


def box_iou(boxes_a: Tensor, boxes_b: Tensor) -> Tensor:
    first = torch.minimum(boxes_a[:, None, :2], boxes_b[:, :2])
    last = torch.maximum(boxes_a[:, None, 2:], boxes_b[:, 2:])
    shared = (last - first).clamp(min=0).prod(-1)
    area_a, area_b = ((boxes[:, 2:] - boxes[:, :2]).prod(-1) for boxes in (boxes_a, boxes_b))
    union = area_a[:, None] + area_b - shared
    return torch.where(union > 0, shared / union.clamp(min=1e-12), 0.0)
