"""task: 3.9
does: suppresses boxes of all classes together
hint: May a 1 suppress a 7 that it overlaps?
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
        decoded = cxcywh_to_xyxy(decode_offsets(image_offsets, priors))
        boxes, labels, scores = [], [], []
        for label in range(1, logits.shape[-1]):
            chosen = image_scores[:, label] > min_score
            boxes.append(decoded[chosen])
            scores.append(image_scores[chosen, label])
            labels.append(torch.full((int(chosen.sum()),), label))
        boxes, labels, scores = torch.cat(boxes), torch.cat(labels), torch.cat(scores)
        kept = nms(boxes, scores, iou_threshold)
        boxes, labels, scores = boxes[kept], labels[kept], scores[kept]
        best = scores.argsort(descending=True)[:top_k]
        detections.append({"boxes": boxes[best], "labels": labels[best], "scores": scores[best]})
    return detections
