"""task: 4.8
does: keeps the threshold for claimed priors
hint: An object claims its best prior, whatever the first rule said. Does yours still ask for an
IoU of a half?
"""


def match_priors(boxes: Tensor, labels: Tensor, priors: Tensor) -> tuple[Tensor, Tensor]:
    if len(boxes) == 0:
        return torch.zeros(2, len(priors), dtype=torch.int64).unbind()
    iou = ops.box_iou(boxes, ops.box_convert(priors, "cxcywh", "xyxy"))
    best, objects = iou.max(0)
    claimed = iou.argmax(1)
    objects[claimed] = torch.arange(len(boxes))
    return labels[objects].where(best >= 0.5, 0), objects
