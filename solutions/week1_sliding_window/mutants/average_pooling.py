"""task: 1.2
does: pools by the average instead of the maximum
hint: Shapes and parameters fit, but the pooled map is not what the picture says. What does your
pooling layer keep of each 2×2 block?
"""


def build_network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 5),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 5 * 5, 400),
        nn.ReLU(),
        nn.Linear(400, 400),
        nn.ReLU(),
        nn.Linear(400, CLASSES),
    )
