"""task: 5.7
does: gives the terms other weights, and drops a little
"""


def hard_and_heavy(logits, classes):
    return 3 * hard_negative_loss(logits, classes)


LOSSES = {"focal": focal_loss, "hard negatives": hard_and_heavy}
