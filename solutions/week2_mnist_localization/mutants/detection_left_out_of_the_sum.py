"""task: 2.5
does: adds up two terms, without detection
hint: Add your terms up by hand and compare with your loss. What teaches the network where there
is ink?
"""


def localization_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    terms = localization_terms(outputs, targets)
    return terms["classification"] + terms["regression"]
