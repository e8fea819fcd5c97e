"""task: 4.8
does: suppresses by hand, the best of all classes first, and stops at `top_k`
"""


def overlaps_with(box, boxes):
    sides = torch.minimum(box[2:], boxes[:, 2:]) - torch.maximum(box[:2], boxes[:, :2])
    shared = sides.clamp(min=0).prod(1)
    area, areas = (box[2:] - box[:2]).prod(), (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return shared / (area + areas - shared).clamp(min=1e-12)


def detect(offsets, logits, priors, min_score=0.01, iou_threshold=0.45, top_k=200):
    results = []
    for some, scores in zip(offsets, torch.softmax(logits, dim=2)[..., 1:], strict=True):
        boxes = decode_offsets(some, priors)
        rows, classes = torch.where(scores > min_score)
        scores, order = scores[rows, classes].sort(descending=True)
        rows, classes = rows[order], classes[order]
        alive, kept = torch.arange(len(scores)), []
        while len(alive) and len(kept) < top_k:
            best, alive = alive[0], alive[1:]
            kept.append(int(best))
            other = classes[alive] != classes[best]
            apart = overlaps_with(boxes[rows[best]], boxes[rows[alive]]) <= iou_threshold
            alive = alive[other | apart]
        kept = torch.tensor(kept, dtype=torch.int64)
        results.append(
            {"boxes": boxes[rows[kept]], "labels": classes[kept] + 1, "scores": scores[kept]}
        )
    return results
