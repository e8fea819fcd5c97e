"""task: 5.5
does: looks targets up in an identity matrix, and flattens everything
"""


def focal_loss(logits, classes, alpha=0.25, gamma=1.0):
    number = logits.shape[-1]
    t = torch.eye(number)[classes.flatten()][:, 1:]
    x = logits.flatten(0, 1)[:, 1:]
    each = F.binary_cross_entropy_with_logits(x, t, reduction="none")
    hard = (t - x.detach().sigmoid()).abs() ** gamma
    return (each * hard * (t * alpha + (1 - t) * (1 - alpha))).sum() / (number - 1)
