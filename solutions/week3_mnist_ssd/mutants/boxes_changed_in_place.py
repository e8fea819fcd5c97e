"""task: 3.8
does: changes the boxes that it is given
hint: What do the boxes of a batch look like after your loss has seen them?
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
    originals = boxes
    boxes = [box.mul_(1) for box in boxes]
    targets = [
        encode_offsets(xyxy_to_cxcywh(b[objects[chosen]]), priors[chosen])
        for b, (_, objects), chosen in zip(boxes, matches, positive, strict=True)
    ]
    localization = F.smooth_l1_loss(offsets[positive], torch.cat(targets), reduction="sum")
    entropy = F.cross_entropy(logits.movedim(-1, 1), classes, reduction="none")
    hardness = entropy.detach().masked_fill(positive, -1.0)
    rank = hardness.argsort(1, descending=True).argsort(1)
    hard = (rank < 3 * positive.sum(1, keepdim=True)) & ~positive
    for box in originals:
        box.mul_(SIDE)
    return {
        "localization": localization / (4 * count),
        "confidence": entropy[positive | hard].sum() / count,
    }
