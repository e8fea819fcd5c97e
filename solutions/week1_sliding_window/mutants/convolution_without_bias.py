"""task: 1.2
does: the convolution has no bias
hint: Your network has 16 parameters too few. Which layer lacks its bias?
"""


def build_network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 5, bias=False),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 5 * 5, 400),
        nn.ReLU(),
        nn.Linear(400, 400),
        nn.ReLU(),
        nn.Linear(400, CLASSES),
    )
