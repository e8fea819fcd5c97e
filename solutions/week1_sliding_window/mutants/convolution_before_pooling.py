"""task: 1.8
does: puts the second convolution before the pooling; the window is right for that network
hint: Your size is consistent with your network, but the network is another one. Where should the
second convolution stand?
"""


def build_with_conv() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 5),
        nn.ReLU(),
        nn.Conv2d(16, 16, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 400),
        nn.ReLU(),
        nn.Linear(400, 400),
        nn.ReLU(),
        nn.Linear(400, CLASSES),
    )


coincide = {"conv": (16, 2), "pool": (24, 4)}
