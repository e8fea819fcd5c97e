"""task: 3.9
does: suppression and ranking on lists of Python numbers, tensors made at the end
"""


def nms(boxes, scores, iou_threshold):
    kept = []
    ranked = sorted(range(len(scores)), key=lambda n: -float(scores[n]))
    for n in ranked:
        if kept and bool((box_iou(boxes[n : n + 1], boxes[kept]) > iou_threshold).any()):
            continue
        kept.append(n)
    return torch.tensor(kept, dtype=torch.int64)


def detect(offsets, logits, priors, min_score=0.01, iou_threshold=0.45, top_k=200):
    results = []
    for n in range(offsets.shape[0]):
        scores = torch.softmax(logits[n], dim=1)
        boxes = cxcywh_to_xyxy(decode_offsets(offsets[n], priors))
        found = []
        for label in range(1, scores.shape[1]):
            (chosen,) = (scores[:, label] > min_score).nonzero(as_tuple=True)
            for m in nms(boxes[chosen], scores[chosen, label], iou_threshold).tolist():
                p = int(chosen[m])
                found.append((float(scores[p, label]), label, p))
        found.sort(reverse=True)
        found = found[:top_k]
        results.append(
            {
                "boxes": boxes[[p for _, _, p in found]].reshape(-1, 4),
                "labels": torch.tensor([label for _, label, _ in found], dtype=torch.int64),
                "scores": torch.tensor([score for score, _, _ in found], dtype=torch.float32),
            }
        )
    return results
