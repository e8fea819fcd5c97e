"""task: 3.3
does: divides by the sum of the areas
hint: How often does the sum of the two areas count what the boxes share?
"""


def box_iou(boxes_a: Tensor, boxes_b: Tensor) -> Tensor:
    first = torch.maximum(boxes_a[:, None, :2], boxes_b[:, :2])
    last = torch.minimum(boxes_a[:, None, 2:], boxes_b[:, 2:])
    shared = (last - first).clamp(min=0).prod(-1)
    area_a, area_b = ((boxes[:, 2:] - boxes[:, :2]).prod(-1) for boxes in (boxes_a, boxes_b))
    union = area_a[:, None] + area_b
    return torch.where(union > 0, shared / union.clamp(min=1e-12), 0.0)
