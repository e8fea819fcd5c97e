"""task: 4.8
does: views the entropies priors first
hint: With one image you are right. When you bring the long row of entropies back into rows of one
image each, which number comes first, images or priors?
"""


def multibox_terms(
    offsets: Tensor,
    logits: Tensor,
    boxes: Sequence[Tensor],
    labels: Sequence[Tensor],
    priors: Tensor,
) -> dict[str, Tensor]:
    matches = [match_priors(b, c, priors) for b, c in zip(boxes, labels, strict=True)]
    classes = torch.stack([classes for classes, _ in matches])
    positive = classes > 0
    count = positive.sum().clamp(min=1)
    targets = [
        encode_offsets(b[objects[chosen]], priors[chosen])
        for b, (_, objects), chosen in zip(boxes, matches, positive, strict=True)
    ]
    localization = F.smooth_l1_loss(offsets[positive], torch.cat(targets), reduction="sum")
    entropy = F.cross_entropy(logits.flatten(0, 1), classes.flatten(), reduction="none")
    entropy = entropy.view(len(priors), len(boxes)).T
    hardness = entropy.detach().masked_fill(positive, -1.0)
    rank = hardness.argsort(1, descending=True).argsort(1)
    hard = (rank < 3 * positive.sum(1, keepdim=True)) & ~positive
    return {
        "localization": localization / (4 * count),
        "confidence": entropy[positive | hard].sum() / count,
    }
