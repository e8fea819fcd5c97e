"""task: 3.8
does: returns the confidence alone as the loss
hint: How many terms has the loss?
"""


def multibox_loss(
    offsets: Tensor,
    logits: Tensor,
    boxes: Sequence[Tensor],
    labels: Sequence[Tensor],
    priors: Tensor,
) -> Tensor:
    return multibox_terms(offsets, logits, boxes, labels, priors)["confidence"]
