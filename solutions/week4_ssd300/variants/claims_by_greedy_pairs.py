"""task: 4.8
does: lets the best pairs claim each other first, so that no object loses its prior
"""


def match_priors(boxes, labels, priors):
    classes = torch.zeros(len(priors), dtype=torch.int64)
    objects = torch.zeros(len(priors), dtype=torch.int64)
    if boxes.shape[0] == 0:
        return classes, objects
    overlaps = ops.box_iou(ops.box_convert(priors, "cxcywh", "xyxy"), boxes)
    best, objects = overlaps.max(dim=1)
    mask = best >= 0.5
    classes[mask] = labels[objects[mask]]
    left = overlaps.clone()
    for _ in range(len(boxes)):
        p, n = divmod(int(left.argmax()), len(boxes))
        objects[p], classes[p] = n, labels[n]
        left[p] = -1
        left[:, n] = -1
    return classes, objects
