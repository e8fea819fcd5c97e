"""task: 1.8
does: inserts the further layers into the list of an old network's layers
"""


def with_inserted(*more: nn.Module) -> nn.Sequential:
    layers = list(build_network())
    return nn.Sequential(*layers[:3], *more, *layers[3:])


def build_with_conv() -> nn.Module:
    return with_inserted(nn.Conv2d(16, 16, 3), nn.ReLU())


def build_with_pool() -> nn.Module:
    return with_inserted(nn.MaxPool2d(2))


coincide = dict(conv=(18, 2), pool=(24, 4))
