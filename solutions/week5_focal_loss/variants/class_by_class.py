"""task: 5.5
does: loops over images and classes
"""


def focal_loss(logits, classes, alpha=0.25, gamma=1.0):
    total = 0
    for image, labels in zip(logits, classes, strict=True):
        for c in range(1, logits.shape[2]):
            hits = labels == c
            for some, share in ((image[hits, c], alpha), (-image[~hits, c], 1 - alpha)):
                total = (
                    total
                    + (share * some.detach().neg().sigmoid() ** gamma * F.softplus(-some)).sum()
                )
    return total / (logits.shape[2] - 1)
