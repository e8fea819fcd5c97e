"""task: 2.5
does: collects the numbers of the found windows with `torch.tensor`
hint: The boxes get no gradient, whatever they are. What does `torch.tensor([…])` keep of numbers
that come from the network, and which function stacks tensors instead?
"""


def localization_terms(outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    found = (outputs[:, 0] > 0) & (targets[:, 0] == 1)
    detection = F.binary_cross_entropy_with_logits(outputs[:, 0], targets[:, 0], reduction="sum")
    logits, labels = outputs[:, 1:11].movedim(1, -1)[found], targets[:, 1][found].long()
    boxes = torch.tensor(outputs[:, 11:].movedim(1, -1)[found].tolist()).view(-1, 4)
    true_boxes = targets[:, 2:].movedim(1, -1)[found]
    return {
        "detection": detection,
        "classification": F.cross_entropy(logits, labels, reduction="sum"),
        "regression": F.mse_loss(boxes, true_boxes, reduction="sum") / 4,
    }
