"""task: 2.5
does: applies a softmax before `F.cross_entropy`
hint: Even for very sure logits your classification term does not fall below about 1.5. What does
`F.cross_entropy` do with what it is given?
"""


def localization_terms(outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    found = (outputs[:, 0] > 0) & (targets[:, 0] == 1)
    detection = F.binary_cross_entropy_with_logits(outputs[:, 0], targets[:, 0], reduction="sum")
    logits, labels = outputs[:, 1:11].movedim(1, -1)[found], targets[:, 1][found].long()
    boxes, true_boxes = (part.movedim(1, -1)[found] for part in (outputs[:, 11:], targets[:, 2:]))
    return {
        "detection": detection,
        "classification": F.cross_entropy(logits.softmax(1), labels, reduction="sum"),
        "regression": F.mse_loss(boxes, true_boxes, reduction="sum") / 4,
    }
