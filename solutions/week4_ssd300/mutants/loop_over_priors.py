"""task: 4.8
does: matches prior by prior in a Python loop
hint: Your answers are right, but they take long: how often does your loop turn for one image? One
table of all objects with all priors needs no loop.
"""


def match_priors(boxes: Tensor, labels: Tensor, priors: Tensor) -> tuple[Tensor, Tensor]:
    classes = torch.zeros(len(priors), dtype=torch.int64)
    objects = torch.zeros(len(priors), dtype=torch.int64)
    if len(boxes) == 0:
        return classes, objects
    corners = ops.box_convert(priors, "cxcywh", "xyxy")
    largest = torch.zeros(len(boxes))
    claimed = torch.zeros(len(boxes), dtype=torch.int64)
    for p in range(len(priors)):
        overlaps = ops.box_iou(corners[p : p + 1], boxes)[0]
        best = int(overlaps.argmax())
        if overlaps[best] >= 0.5:
            classes[p], objects[p] = labels[best], best
        better = overlaps > largest
        largest[better], claimed[better] = overlaps[better], p
    classes[claimed], objects[claimed] = labels, torch.arange(len(boxes))
    return classes, objects
