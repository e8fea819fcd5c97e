"""task: 2.5
does: masks by multiplication, a threshold on the probability, log-likelihood by gather
"""


def localization_terms(outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    seen, labels, true_boxes = targets.split([1, 1, 4], dim=1)
    ink, logits, boxes = outputs.split([1, 10, 4], dim=1)
    probability = torch.sigmoid(ink)
    mask = ((probability > 0.5) * seen).detach()
    detection = F.binary_cross_entropy_with_logits(ink, seen, reduction="none")
    likelihood = torch.log_softmax(logits, dim=1).gather(dim=1, index=labels.to(torch.int64))
    regression = torch.mean((boxes - true_boxes) ** 2, dim=1, keepdim=True)
    return dict(
        detection=detection.sum(),
        classification=-torch.sum(mask * likelihood),
        regression=torch.sum(mask * regression),
    )


def localization_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    terms = localization_terms(outputs, targets)
    return terms["detection"] + terms["classification"] + terms["regression"]
