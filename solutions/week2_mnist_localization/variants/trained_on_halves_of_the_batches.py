"""task: 2.9
does: two steps on the halves of each batch, with a loader around the loader, and `train`
"""


class Halves:
    def __init__(self, loader):
        self.loader = loader

    def __len__(self):
        return 2 * len(self.loader)

    def __iter__(self):
        for images, targets in self.loader:
            yield from zip(images.chunk(2), targets.chunk(2), strict=True)


def train_localizer(loader, epochs):
    net = LocalizationNet()
    train(net, Halves(loader), localization_terms, epochs)
    return net
