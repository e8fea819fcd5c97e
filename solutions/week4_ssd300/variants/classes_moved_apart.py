"""task: 4.8
does: suppresses all classes in one go by `batched_nms`, and clips what is left
"""


def detect(
    offsets: Tensor,
    logits: Tensor,
    priors: Tensor,
    min_score: float = 0.01,
    iou_threshold: float = 0.45,
    top_k: int = 200,
) -> list[dict[str, Tensor]]:
    found = []
    for n in range(len(offsets)):
        probabilities = F.softmax(logits[n], dim=-1)
        probabilities[:, 0] = 0
        place = (probabilities > min_score).nonzero()
        boxes = decode_offsets(offsets[n], priors)[place[:, 0]]
        scores, labels = probabilities[place[:, 0], place[:, 1]], place[:, 1]
        keep = ops.batched_nms(boxes, scores, labels, iou_threshold)
        keep = keep[scores[keep].topk(min(top_k, len(keep))).indices]
        found.append(
            {"boxes": boxes[keep].clamp(0, 1), "labels": labels[keep], "scores": scores[keep]}
        )
    return found
