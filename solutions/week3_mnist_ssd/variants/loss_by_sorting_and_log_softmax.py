"""task: 3.8
does: log-softmax and gather for the cross-entropy, sorts the negatives of each image, Huber for L1
"""


def multibox_terms(offsets, logits, boxes, labels, priors):
    count, distances, costs = 0, [], []
    for n in range(len(boxes)):
        classes, objects = match_priors(boxes[n], labels[n], priors)
        positive = classes != 0
        k = int(positive.sum())
        count += k
        surprise = -logits[n].log_softmax(1).gather(1, classes[:, None])[:, 0]
        negatives, _ = surprise[~positive].sort(descending=True)
        costs.append(surprise[positive].sum() + negatives[: 3 * k].sum())
        if k:
            wanted = encode_offsets(xyxy_to_cxcywh(boxes[n])[objects[positive]], priors[positive])
            distances.append(F.huber_loss(offsets[n][positive], wanted, reduction="sum", delta=1.0))
        else:
            distances.append(offsets[n].sum() * 0)
    return {
        "localization": torch.stack(distances).sum() / max(4 * count, 1),
        "confidence": torch.stack(costs).sum() / max(count, 1),
    }
