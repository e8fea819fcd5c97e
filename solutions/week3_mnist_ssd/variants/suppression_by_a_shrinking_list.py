"""task: 3.9
does: takes the best of a shrinking list, and drops from equal overlaps on
"""


def nms(boxes, scores, iou_threshold):
    remaining = torch.argsort(scores, descending=True)
    keep = []
    while remaining.numel() > 0:
        best = remaining[0]
        keep.append(best.item())
        if remaining.numel() == 1:
            break
        overlap = box_iou(boxes[best].unsqueeze(0), boxes[remaining[1:]]).squeeze(0)
        remaining = remaining[1:][~(overlap >= iou_threshold)]
    return torch.tensor(keep, dtype=torch.long)
