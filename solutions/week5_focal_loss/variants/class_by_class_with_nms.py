"""task: 5.6
does: suppresses class by class, and sorts in the end
"""


def detect(activations, logits, anchors, cells, min_score=0.25, iou_threshold=0.5, top_k=20):
    result = []
    for n in range(len(logits)):
        every, p = boxes_from(activations[n], anchors, cells), torch.sigmoid(logits[n])
        boxes, labels, scores = (
            [torch.zeros(0, 4)],
            [torch.zeros(0, dtype=torch.int64)],
            [torch.zeros(0)],
        )
        for c in range(1, p.shape[1]):
            mask = p[:, c] > min_score
            keep = ops.nms(every[mask], p[mask, c], iou_threshold)
            boxes.append(every[mask][keep])
            scores.append(p[mask, c][keep])
            labels.append(torch.full((len(keep),), c))
        scores = torch.cat(scores)
        order = scores.argsort(descending=True)[:top_k]
        result.append(
            {
                "boxes": torch.cat(boxes)[order],
                "labels": torch.cat(labels)[order],
                "scores": scores[order],
            }
        )
    return result
