"""task: 3.9
does: lets dropped boxes drop others
hint: May a box that was itself dropped drop another? Try a chain of three.
"""


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    order = scores.argsort(descending=True)
    overlaps = box_iou(boxes[order], boxes[order]) > iou_threshold
    dropped = torch.zeros(len(boxes), dtype=torch.bool)
    kept = []
    for n in range(len(boxes)):
        if not dropped[n]:
            kept.append(n)
        dropped |= overlaps[n]
    return order[torch.tensor(kept, dtype=torch.int64)]
