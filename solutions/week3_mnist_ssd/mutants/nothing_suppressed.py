"""task: 3.9
does: keeps every box
hint: What becomes of boxes that overlap a better one?
"""


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    order = scores.argsort(descending=True)
    overlaps = box_iou(boxes[order], boxes[order]) > 2.0
    dropped = torch.zeros(len(boxes), dtype=torch.bool)
    kept = []
    for n in range(len(boxes)):
        if not dropped[n]:
            kept.append(n)
            dropped |= overlaps[n]
    return order[torch.tensor(kept, dtype=torch.int64)]
