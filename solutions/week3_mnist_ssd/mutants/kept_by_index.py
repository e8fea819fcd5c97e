"""task: 3.9
does: returns the kept indices in rising order
hint: In which order are the kept boxes wanted?
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
    return order[torch.tensor(kept, dtype=torch.int64)].sort().values
