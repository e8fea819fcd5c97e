"""task: 1.2
does: puts a ReLU after the last linear layer too
hint: None of your scores is ever negative. In the picture, which of the layers are followed by a
ReLU and which is not?
"""


def build_network() -> nn.Module:
    layers = [nn.Conv2d(3, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    for outputs in (400, 400, CLASSES):
        layers += [nn.Linear(400, outputs), nn.ReLU()]
    return nn.Sequential(*layers)
