"""task: 4.8
does: lets objects claim no priors
hint: Which prior answers for an object that overlaps none by half?
"""


def match_priors(boxes: Tensor, labels: Tensor, priors: Tensor) -> tuple[Tensor, Tensor]:
    if len(boxes) == 0:
        return torch.zeros(2, len(priors), dtype=torch.int64).unbind()
    iou = ops.box_iou(boxes, ops.box_convert(priors, "cxcywh", "xyxy"))
    best, objects = iou.max(0)
    return labels[objects].where(best >= 0.5, 0), objects
