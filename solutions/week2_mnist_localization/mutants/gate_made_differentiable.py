"""task: 2.5
does: weights the last two terms by the sigmoid of the detection logit
hint: Your last two terms push the detection logit, and they shrink when it does. Which part of
your gate carries a gradient?
"""


def localization_terms(outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    gate = outputs[:, 0].sigmoid()
    gate = gate * (gate > 0.5) * targets[:, 0]
    detection = F.binary_cross_entropy_with_logits(outputs[:, 0], targets[:, 0], reduction="sum")
    classification = F.cross_entropy(outputs[:, 1:11], targets[:, 1].long(), reduction="none")
    regression = (outputs[:, 11:] - targets[:, 2:]).square().mean(1)
    return {
        "detection": detection,
        "classification": (gate * classification).sum(),
        "regression": (gate * regression).sum(),
    }
