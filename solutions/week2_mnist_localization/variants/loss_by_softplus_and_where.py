"""task: 2.5
does: the detection term by softplus, the others by where instead of indexing, logsumexp for softmax
"""


def localization_terms(outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    logit, truth = outputs[:, 0], targets[:, 0]
    hit = torch.logical_and(logit.detach() > 0, truth > 0.5)
    detection = (F.softplus(logit) - logit * truth).sum()
    scores = outputs[:, 1:11]
    chosen = scores.gather(1, targets[:, 1:2].long()).squeeze(1)
    loss = torch.logsumexp(scores, 1) - chosen
    apart = (outputs[:, 11:15] - targets[:, 2:6]).pow(2).mean(1)
    zero = torch.zeros_like(logit)
    return {
        "detection": detection,
        "classification": torch.where(hit, loss, zero).sum(),
        "regression": torch.where(hit, apart, zero).sum(),
    }


def localization_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    return torch.stack(list(localization_terms(outputs, targets).values())).sum()
