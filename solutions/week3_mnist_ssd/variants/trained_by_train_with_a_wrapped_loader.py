"""task: 3.11
does: hands `train` a loader that sharpens each batch's contrast a little
"""


class Sharpened:
    def __init__(self, loader):
        self.loader = loader

    def __len__(self):
        return len(self.loader)

    def __iter__(self):
        for images, boxes, labels in self.loader:
            yield images * (1 + 0.1 * torch.rand(len(images), 1, 1, 1)), boxes, labels


def train_ssd(loader, epochs):
    net = SSD(NUM_CLASSES)
    train(net, Sharpened(loader), epochs)
    return net
