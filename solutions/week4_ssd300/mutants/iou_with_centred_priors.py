"""task: 4.8
does: takes the IoU of corners with priors in centre form
hint: Which form does `ops.box_iou` expect, and which have the priors?
"""


def match_priors(boxes: Tensor, labels: Tensor, priors: Tensor) -> tuple[Tensor, Tensor]:
    if len(boxes) == 0:
        return torch.zeros(2, len(priors), dtype=torch.int64).unbind()
    iou = ops.box_iou(boxes, priors)
    best, objects = iou.max(0)
    claimed = iou.argmax(1)
    objects[claimed] = torch.arange(len(boxes))
    best[claimed] = 1.0
    return labels[objects].where(best >= 0.5, 0), objects
