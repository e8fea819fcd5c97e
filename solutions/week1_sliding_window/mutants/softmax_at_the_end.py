"""task: 1.2
does: ends with a softmax
hint: Your outputs are positive and add up to 1, so they are probabilities. Read again what the
network should return, and look at its last layer.
"""


def build_network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 400),
        nn.ReLU(),
        nn.Linear(400, 400),
        nn.ReLU(),
        nn.Linear(400, CLASSES),
        nn.Softmax(dim=1),
    )
