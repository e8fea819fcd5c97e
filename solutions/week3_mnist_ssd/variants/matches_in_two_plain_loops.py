"""task: 3.7
does: looks at every prior, then at every object, in loops over Python numbers
"""


def match_priors(boxes, labels, priors, iou_threshold=0.5):
    classes = [0] * len(priors)
    objects = [0] * len(priors)
    if len(boxes):
        overlaps = box_iou(cxcywh_to_xyxy(priors), boxes)
        best_object = overlaps.argmax(1).tolist()
        for p, n in enumerate(best_object):
            objects[p] = n
            if overlaps[p, n] >= iou_threshold:
                classes[p] = int(labels[n])
        for n in range(len(boxes)):
            p = int(overlaps[:, n].argmax())
            objects[p] = n
            classes[p] = int(labels[n])
    return torch.tensor(classes, dtype=torch.int64), torch.tensor(objects, dtype=torch.int64)
