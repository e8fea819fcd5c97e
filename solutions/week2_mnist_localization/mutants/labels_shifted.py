"""task: 2.5
does: subtracts 1 from the labels
hint: Digit 3 should be rewarded in channel 4 of the outputs. Which of your class logits answers
for which digit?
"""


def localization_terms(outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    found = (outputs[:, 0] > 0) & (targets[:, 0] == 1)
    detection = F.binary_cross_entropy_with_logits(outputs[:, 0], targets[:, 0], reduction="sum")
    logits, labels = (
        outputs[:, 1:11].movedim(1, -1)[found],
        (targets[:, 1][found].long() - 1) % CLASSES,
    )
    boxes, true_boxes = (part.movedim(1, -1)[found] for part in (outputs[:, 11:], targets[:, 2:]))
    return {
        "detection": detection,
        "classification": F.cross_entropy(logits, labels, reduction="sum"),
        "regression": F.mse_loss(boxes, true_boxes, reduction="sum") / 4,
    }
