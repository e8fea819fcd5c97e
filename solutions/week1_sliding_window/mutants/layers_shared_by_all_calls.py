"""task: 1.8
does: builds both networks around the layers of one network made when the cell runs
hint: Two calls gave networks that share their weights. When are the layers made that you build on?
"""

base = build_network()


def build_with_conv() -> nn.Module:
    return nn.Sequential(*base[:3], nn.Conv2d(16, 16, 3), nn.ReLU(), *base[3:])


def build_with_pool() -> nn.Module:
    return nn.Sequential(*base[:3], nn.MaxPool2d(2), *base[3:])
