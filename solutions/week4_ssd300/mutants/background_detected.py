"""task: 4.8
does: detects the background as well
hint: Which class is no object?
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
        boxes, labels, scores = [], [], []
        for label in range(logits.shape[-1]):
            chosen = image_scores[:, label] > min_score
            of_class, class_scores = decoded[chosen], image_scores[chosen, label]
            kept = ops.nms(of_class, class_scores, iou_threshold)
            boxes.append(of_class[kept])
            scores.append(class_scores[kept])
            labels.append(torch.full((len(kept),), label))
        boxes, labels, scores = torch.cat(boxes), torch.cat(labels), torch.cat(scores)
        best = scores.argsort(descending=True)[:top_k]
        detections.append({"boxes": boxes[best], "labels": labels[best], "scores": scores[best]})
    return detections
