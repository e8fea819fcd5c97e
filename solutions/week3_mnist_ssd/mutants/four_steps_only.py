"""task: 3.11
does: stops each pass after one batch
hint: How many batches has a pass?
"""


def train_ssd(
    loader: Iterable[tuple[Tensor, list[Tensor], list[Tensor]]], epochs: int
) -> nn.Module:
    ssd = SSD(num_classes=NUM_CLASSES)
    train(ssd, [next(iter(loader))], epochs)
    return ssd
