"""task: 4.8
does: suppresses boxes of all classes together
hint: May a red cell suppress a platelet that it overlaps?
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
            chosen = image_scores[:, label] > min_score
            of_class, class_scores = decoded[chosen], image_scores[chosen, label]
            boxes.append(of_class)
            scores.append(class_scores)
            labels.append(torch.full((len(of_class),), label))
        boxes, labels, scores = torch.cat(boxes), torch.cat(labels), torch.cat(scores)
        best = ops.nms(boxes, scores, iou_threshold)[:top_k]
        detections.append({"boxes": boxes[best], "labels": labels[best], "scores": scores[best]})
    return detections
