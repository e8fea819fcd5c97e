"""task: 3.11
does: returns a network that saw no scene
hint: Is the network that you return the one that you trained?
"""


def train_ssd(
    loader: Iterable[tuple[Tensor, list[Tensor], list[Tensor]]], epochs: int
) -> nn.Module:
    ssd = SSD(num_classes=NUM_CLASSES)
    train(SSD(num_classes=NUM_CLASSES), loader, 1)
    return ssd
