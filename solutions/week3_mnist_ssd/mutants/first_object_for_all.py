"""task: 3.7
does: lets all positive priors answer for the first object
hint: With several objects: which of them does a prior overlap most?
"""


def match_priors(
    boxes: Tensor, labels: Tensor, priors: Tensor, iou_threshold: float = 0.5
) -> tuple[Tensor, Tensor]:
    if len(boxes) == 0:
        return torch.zeros(2, len(priors), dtype=torch.int64).unbind()
    iou = box_iou(boxes, cxcywh_to_xyxy(priors))
    best, objects = iou.amax(0), torch.zeros(len(priors), dtype=torch.int64)
    claimed = iou.argmax(1)
    objects[claimed] = torch.arange(len(boxes))
    best[claimed] = 1.0
    return labels[objects].where(best >= iou_threshold, 0), objects
