"""task: 4.8
does: makes a table of the IoU of all candidates of all classes with each other
hint: How many entries has your table when each of 8,732 priors is a candidate in every class, and
how much memory do they take?
"""


def detect(
    offsets: Tensor,
    logits: Tensor,
    priors: Tensor,
    min_score: float = 0.01,
    iou_threshold: float = 0.45,
    top_k: int = 200,
) -> list[dict[str, Tensor]]:
    detections = []
    for image_offsets, image_scores in zip(offsets, logits.softmax(-1), strict=True):
        decoded = decode_offsets(image_offsets, priors)
        rows, labels = (image_scores[:, 1:] > min_score).nonzero(as_tuple=True)
        scores = image_scores[rows, labels + 1]
        order = scores.argsort(descending=True)
        boxes, labels, scores = decoded[rows[order]], labels[order] + 1, scores[order]
        drops = ops.box_iou(boxes, boxes) > iou_threshold
        drops &= labels[:, None] == labels
        kept = []
        dropped = torch.zeros(len(boxes), dtype=torch.bool)
        for n in range(len(boxes)):
            if not dropped[n] and len(kept) < top_k:
                kept.append(n)
                dropped |= drops[n]
        kept = torch.tensor(kept, dtype=torch.int64)
        detections.append({"boxes": boxes[kept], "labels": labels[kept], "scores": scores[kept]})
    return detections
