"""task: 3.9
does: fails without boxes
hint: What does your code do when there is no box at all?
"""


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    best = scores.max()
    order = (best - scores).argsort()
    overlaps = box_iou(boxes[order], boxes[order]) > iou_threshold
    dropped = torch.zeros(len(boxes), dtype=torch.bool)
    kept = []
    for n in range(len(boxes)):
        if not dropped[n]:
            kept.append(n)
            dropped |= overlaps[n]
    return order[torch.tensor(kept, dtype=torch.int64)]
