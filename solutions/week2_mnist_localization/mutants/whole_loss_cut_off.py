"""task: 2.5
does: makes the loss of Python numbers
hint: `backward` finds nothing to go back through. What is left of a tensor after `.item()`?
"""


def localization_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    terms = localization_terms(outputs, targets)
    return torch.tensor(sum(term.item() for term in terms.values()))
