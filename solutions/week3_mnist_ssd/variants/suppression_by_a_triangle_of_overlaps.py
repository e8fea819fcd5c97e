"""task: 3.9
does: suppression on a matrix of overlaps, row by row; all classes' candidates from one nonzero
"""


def nms(boxes, scores, iou_threshold):
    order = torch.argsort(scores, descending=True, stable=True)
    overlap = (box_iou(boxes[order], boxes[order]) > iou_threshold).triu(diagonal=1)
    alive = torch.ones(len(order), dtype=torch.bool)
    for n in range(len(order)):
        alive &= ~(overlap[n] & alive[n])
    return order[alive]


def detect(offsets, logits, priors, min_score=0.01, iou_threshold=0.45, top_k=200):
    answers = []
    for one, scores in zip(offsets, F.softmax(logits, -1), strict=True):
        corners = cxcywh_to_xyxy(decode_offsets(one, priors))
        rows, columns = torch.nonzero(scores[:, 1:] > min_score, as_tuple=True)
        found = {
            "boxes": corners[rows],
            "labels": columns + 1,
            "scores": scores[rows, columns + 1],
        }
        keep = [torch.zeros(0, dtype=torch.long)]
        for label in found["labels"].unique():
            (mine,) = torch.where(found["labels"] == label)
            keep.append(mine[nms(found["boxes"][mine], found["scores"][mine], iou_threshold)])
        keep = torch.cat(keep)
        keep = keep[found["scores"][keep].argsort(descending=True)[:top_k]]
        answers.append({name: values[keep] for name, values in found.items()})
    return answers
