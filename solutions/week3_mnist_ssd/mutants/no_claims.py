"""task: 3.7
does: leaves out step 2
hint: Which prior answers for an object that overlaps none by half?
"""


def match_priors(
    boxes: Tensor, labels: Tensor, priors: Tensor, iou_threshold: float = 0.5
) -> tuple[Tensor, Tensor]:
    if len(boxes) == 0:
        return torch.zeros(2, len(priors), dtype=torch.int64).unbind()
    iou = box_iou(boxes, cxcywh_to_xyxy(priors))
    best, objects = iou.max(0)
    iou.argmax(1)
    return labels[objects].where(best >= iou_threshold, 0), objects
