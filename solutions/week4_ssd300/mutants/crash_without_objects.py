"""task: 4.8
does: fails for an image without objects
hint: What is the largest of no numbers? Try an image without objects.
"""


def match_priors(boxes: Tensor, labels: Tensor, priors: Tensor) -> tuple[Tensor, Tensor]:
    iou = ops.box_iou(boxes, ops.box_convert(priors, "cxcywh", "xyxy"))
    best, objects = iou.max(0)
    claimed = iou.argmax(1)
    objects[claimed] = torch.arange(len(boxes))
    best[claimed] = 1.0
    return labels[objects].where(best >= 0.5, 0), objects
