"""task: 4.8
does: adds one to the labels
hint: Which number has the background, and from which do labels count already?
"""


def match_priors(boxes: Tensor, labels: Tensor, priors: Tensor) -> tuple[Tensor, Tensor]:
    if len(boxes) == 0:
        return torch.zeros(2, len(priors), dtype=torch.int64).unbind()
    iou = ops.box_iou(boxes, ops.box_convert(priors, "cxcywh", "xyxy"))
    best, objects = iou.max(0)
    claimed = iou.argmax(1)
    objects[claimed] = torch.arange(len(boxes))
    best[claimed] = 1.0
    return (labels[objects] + 1).where(best >= 0.5, 0), objects
