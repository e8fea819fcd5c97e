"""task: 2.5
does: flattens the map as if it had as many columns as rows
hint: Hand it a map of 3 rows and 5 columns. How many windows are there?
"""


def localization_terms(outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    cells = outputs.shape[2] ** 2
    outputs = outputs.reshape(len(outputs), 15, cells)
    targets = targets.reshape(len(targets), 6, cells)
    found = (outputs[:, 0] > 0) & (targets[:, 0] == 1)
    detection = F.binary_cross_entropy_with_logits(outputs[:, 0], targets[:, 0], reduction="sum")
    logits, labels = outputs[:, 1:11].movedim(1, -1)[found], targets[:, 1][found].long()
    boxes, true_boxes = (part.movedim(1, -1)[found] for part in (outputs[:, 11:], targets[:, 2:]))
    return {
        "detection": detection,
        "classification": F.cross_entropy(logits, labels, reduction="sum"),
        "regression": F.mse_loss(boxes, true_boxes, reduction="sum") / 4,
    }
