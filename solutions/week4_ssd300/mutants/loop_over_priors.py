"""task: 4.8
does: looks for each prior's object in a Python loop
hint: Your answers are right, but they take long: how often does your loop turn for one image?
`max` along an axis needs no loop.
"""


def match_priors(boxes: Tensor, labels: Tensor, priors: Tensor) -> tuple[Tensor, Tensor]:
    if len(boxes) == 0:
        return torch.zeros(2, len(priors), dtype=torch.int64).unbind()
    iou = ops.box_iou(boxes, ops.box_convert(priors, "cxcywh", "xyxy"))
    best, objects = torch.zeros(len(priors)), torch.zeros(len(priors), dtype=torch.int64)
    for p, overlaps in enumerate(iou.T.tolist()):
        best[p] = max(overlaps)
        objects[p] = overlaps.index(max(overlaps))
    claimed = iou.argmax(1)
    objects[claimed] = torch.arange(len(boxes))
    best[claimed] = 1.0
    return labels[objects].where(best >= 0.5, 0), objects
