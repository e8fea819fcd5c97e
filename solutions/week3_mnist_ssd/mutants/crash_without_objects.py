"""task: 3.7
does: fails for an image without objects
hint: What is the largest of no numbers? Try an image without objects.
"""


def match_priors(
    boxes: Tensor, labels: Tensor, priors: Tensor, iou_threshold: float = 0.5
) -> tuple[Tensor, Tensor]:
    iou = box_iou(boxes, cxcywh_to_xyxy(priors))
    best, objects = iou.max(0)
    claimed = iou.argmax(1)
    objects[claimed] = torch.arange(len(boxes))
    best[claimed] = 1.0
    return labels[objects].where(best >= iou_threshold, 0), objects
