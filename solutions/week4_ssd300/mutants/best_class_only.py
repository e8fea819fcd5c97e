"""task: 4.8
does: looks at the best class of each prior only
hint: May one prior be detected as two classes?
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
        for label in range(1, logits.shape[-1]):
            chosen = (image_scores[:, label] > min_score) & (image_scores.argmax(1) == label)
            of_class, class_scores = decoded[chosen], image_scores[chosen, label]
            kept = ops.nms(of_class, class_scores, iou_threshold)
            boxes.append(of_class[kept])
            scores.append(class_scores[kept])
            labels.append(torch.full((len(kept),), label))
        boxes, labels, scores = torch.cat(boxes), torch.cat(labels), torch.cat(scores)
        best = scores.argsort(descending=True)[:top_k]
        detections.append({"boxes": boxes[best], "labels": labels[best], "scores": scores[best]})
    return detections
