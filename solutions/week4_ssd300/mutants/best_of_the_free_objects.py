"""task: 4.11
does: goes to the best object that is still free
hint: Of two objects that overlap, yours finds the second when the first is taken. To which object
does a detection go: the best, or the best that is free?
"""


def average_precisions(
    detections: Sequence[Mapping[str, Tensor]],
    truths: Sequence[Mapping[str, Tensor]],
    interpolation: str = "all-point",
    iou_threshold: float = 0.5,
) -> dict[int, float]:
    every = torch.cat([truth["labels"][~truth["difficult"]] for truth in truths])
    precisions = {}
    for label in every.unique().tolist():
        rows = []
        for found, truth in zip(detections, truths, strict=True):
            mine, true = found["labels"] == label, truth["labels"] == label
            boxes, difficult = truth["boxes"][true], truth["difficult"][true].tolist()
            taken = [False] * len(boxes)
            order = found["scores"][mine].argsort(descending=True)
            overlaps = ops.box_iou(found["boxes"][mine][order], boxes)
            for score, row in zip(found["scores"][mine][order].tolist(), overlaps, strict=True):
                row = row.masked_fill(torch.tensor(taken, dtype=torch.bool), -1.0)
                best = int(row.argmax()) if len(boxes) else -1
                near = best >= 0 and float(row[best]) > iou_threshold
                if near and difficult[best]:
                    continue
                rows.append((score, near and not taken[best]))
                if near:
                    taken[best] = True
        hits = torch.tensor([hit for _, hit in sorted(rows, reverse=True)], dtype=torch.float64)
        recall = hits.cumsum(0) / int((every == label).sum())
        precision = hits.cumsum(0) / torch.arange(1, len(hits) + 1)
        best = precision.flip(0).cummax(0).values.flip(0) if len(hits) else precision
        if interpolation == "all-point":
            area = (best * recall.diff(prepend=torch.zeros(1))).sum()
        else:
            reached = [best[recall >= k / 10 - 1e-12] for k in range(11)]
            area = sum(one[0] if len(one) else torch.zeros(()) for one in reached) / 11
        precisions[label] = float(area)
    return precisions
