"""task: 1.2
does: builds the network once and returns the same object each time
hint: Two calls returned networks with the same weights. When are the layers made: at each call, or
once when the cell runs?
"""

classifier = nn.Sequential(
    nn.Conv2d(3, 16, 5),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(16 * 5 * 5, 400),
    nn.ReLU(),
    nn.Linear(400, 400),
    nn.ReLU(),
    nn.Linear(400, CLASSES),
)


def build_network() -> nn.Module:
    return classifier
