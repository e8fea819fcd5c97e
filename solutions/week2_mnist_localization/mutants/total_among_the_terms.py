"""task: 2.5
does: returns the sum as a fourth term
hint: The training loop adds up all that `localization_terms` returns: how often is each term
counted then? How many entries are asked for?
"""


def localization_terms(outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    found = (outputs[:, 0] > 0) & (targets[:, 0] == 1)
    detection = F.binary_cross_entropy_with_logits(outputs[:, 0], targets[:, 0], reduction="sum")
    logits, labels = outputs[:, 1:11].movedim(1, -1)[found], targets[:, 1][found].long()
    boxes, true_boxes = (part.movedim(1, -1)[found] for part in (outputs[:, 11:], targets[:, 2:]))
    terms = {
        "detection": detection,
        "classification": F.cross_entropy(logits, labels, reduction="sum"),
        "regression": F.mse_loss(boxes, true_boxes, reduction="sum") / 4,
    }
    return terms | {"total": sum(terms.values())}


def localization_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    return localization_terms(outputs, targets)["total"]
