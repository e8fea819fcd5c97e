"""task: 3.9
does: returns positions in the sorted list
hint: Do your indices belong to the boxes as they were given?
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
    return torch.tensor(kept, dtype=torch.int64)
