"""task: 4.8
does: makes claimed priors positive but leaves them with the object they overlap most
hint: For which object does a claimed prior answer?
"""


def match_priors(boxes: Tensor, labels: Tensor, priors: Tensor) -> tuple[Tensor, Tensor]:
    if len(boxes) == 0:
        return torch.zeros(2, len(priors), dtype=torch.int64).unbind()
    iou = ops.box_iou(boxes, ops.box_convert(priors, "cxcywh", "xyxy"))
    best, objects = iou.max(0)
    claimed = iou.argmax(1)
    best[claimed] = 1.0
    return labels[objects].where(best >= 0.5, 0), objects
