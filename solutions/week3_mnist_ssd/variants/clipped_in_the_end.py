"""task: 3.9
does: detects class by class over the whole batch and cuts boxes to the image in the end
"""


def detect(offsets, logits, priors, min_score=0.01, iou_threshold=0.45, top_k=200):
    probabilities = F.softmax(logits, dim=2)
    results = []
    for n in range(offsets.size(0)):
        boxes = cxcywh_to_xyxy(decode_offsets(offsets[n], priors))
        found = []
        for c in range(1, logits.size(2)):
            scores = probabilities[n, :, c]
            rows = torch.nonzero(scores > min_score).view(-1)
            for row in rows[nms(boxes[rows], scores[rows], iou_threshold)].tolist():
                found.append((float(scores[row]), c, row))
        found = sorted(found, key=lambda item: -item[0])[:top_k]
        rows = torch.tensor([row for _, _, row in found], dtype=torch.long)
        results.append(
            {
                "boxes": boxes[rows].clamp(0, 1),
                "labels": torch.tensor([c for _, c, _ in found], dtype=torch.long),
                "scores": torch.tensor([score for score, _, _ in found], dtype=torch.float32),
            }
        )
    return results
