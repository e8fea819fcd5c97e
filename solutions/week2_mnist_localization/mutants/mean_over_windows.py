"""task: 2.5
does: averages the detection term over all windows
hint: Hand in each image twice: your detection term stays, but it should double. What does
`reduction` do when you do not name one?
"""


def localization_terms(outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    found = (outputs[:, 0] > 0) & (targets[:, 0] == 1)
    detection = F.binary_cross_entropy_with_logits(outputs[:, 0], targets[:, 0])
    logits, labels = outputs[:, 1:11].movedim(1, -1)[found], targets[:, 1][found].long()
    boxes, true_boxes = (part.movedim(1, -1)[found] for part in (outputs[:, 11:], targets[:, 2:]))
    return {
        "detection": detection,
        "classification": F.cross_entropy(logits, labels, reduction="sum"),
        "regression": F.mse_loss(boxes, true_boxes, reduction="sum") / 4,
    }
