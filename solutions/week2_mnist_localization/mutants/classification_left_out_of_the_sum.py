"""task: 2.5
does: adds up two terms, without classification
hint: Add your terms up by hand and compare with your loss. What teaches the network which digit
it sees?
"""


def localization_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    terms = localization_terms(outputs, targets)
    return terms["detection"] + terms["regression"]
