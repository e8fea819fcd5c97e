"""task: 1.8
does: inserts the new layers into the network of task 1.2 and computes the windows
"""


def grown(*new_layers: nn.Module) -> nn.Sequential:
    """Insert layers after the pooling of a fresh network."""
    layers = [
        nn.Conv2d(3, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        *new_layers,
        nn.Flatten(),
        nn.Linear(400, 400),
        nn.ReLU(),
        nn.Linear(400, 400),
        nn.ReLU(),
        nn.Linear(400, 4),
    ]
    return nn.Sequential(*layers)


def build_with_conv() -> nn.Module:
    return grown(nn.Conv2d(16, 16, (3, 3)), nn.ReLU(inplace=True))


def build_with_pool() -> nn.Module:
    return grown(nn.MaxPool2d((2, 2)))


coincide = dict(pool=(5 * 2 * 2 + 4, 2 * 2), conv=((5 + 2) * 2 + 4, 2))
