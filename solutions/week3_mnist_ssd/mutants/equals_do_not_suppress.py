"""task: 3.9
does: suppresses only boxes of a lower score
hint: What becomes of two equal boxes of equal scores?
"""


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    order = scores.argsort(descending=True)
    overlaps = (box_iou(boxes[order], boxes[order]) > iou_threshold) & (
        scores[order][:, None] > scores[order]
    )
    dropped = torch.zeros(len(boxes), dtype=torch.bool)
    kept = []
    for n in range(len(boxes)):
        if not dropped[n]:
            kept.append(n)
            dropped |= overlaps[n]
    return order[torch.tensor(kept, dtype=torch.int64)]
