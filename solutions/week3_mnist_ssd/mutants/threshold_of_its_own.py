"""task: 3.9
does: compares overlaps with 0.5 whatever is asked
hint: Where does the threshold come from?
"""


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    order = scores.argsort(descending=True)
    overlaps = box_iou(boxes[order], boxes[order]) > 0.5
    dropped = torch.zeros(len(boxes), dtype=torch.bool)
    kept = []
    for n in range(len(boxes)):
        if not dropped[n]:
            kept.append(n)
            dropped |= overlaps[n]
    return order[torch.tensor(kept, dtype=torch.int64)]
