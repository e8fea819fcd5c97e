"""task: 2.5
does: reads the box from channel 1 of the targets on
hint: Print the four numbers that you compare the box with: one of them is a whole number up to 9.
At which channel does the box begin?
"""


def localization_terms(outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    found = (outputs[:, 0] > 0) & (targets[:, 0] == 1)
    detection = F.binary_cross_entropy_with_logits(outputs[:, 0], targets[:, 0], reduction="sum")
    logits, labels = outputs[:, 1:11].movedim(1, -1)[found], targets[:, 1][found].long()
    boxes, true_boxes = (part.movedim(1, -1)[found] for part in (outputs[:, 11:], targets[:, 1:5]))
    return {
        "detection": detection,
        "classification": F.cross_entropy(logits, labels, reduction="sum"),
        "regression": F.mse_loss(boxes, true_boxes, reduction="sum") / 4,
    }
