"""task: 3.3
does: divides zero by zero for boxes without area
hint: What is 0 / 0? Try two boxes without area.
"""


def box_iou(boxes_a: Tensor, boxes_b: Tensor) -> Tensor:
    first = torch.maximum(boxes_a[:, None, :2], boxes_b[:, :2])
    last = torch.minimum(boxes_a[:, None, 2:], boxes_b[:, 2:])
    shared = (last - first).clamp(min=0).prod(-1)
    area_a, area_b = ((boxes[:, 2:] - boxes[:, :2]).prod(-1) for boxes in (boxes_a, boxes_b))
    union = area_a[:, None] + area_b - shared
    return shared / union
