"""task: 1.2
does: uses one linear layer object twice, which ties the weights of two layers
hint: Your network has fewer parameters than the picture. Is every layer an object of its own, or
do two places in the network share one?
"""


def build_network() -> nn.Module:
    hidden = nn.Linear(400, 400)
    relu = nn.ReLU()
    return nn.Sequential(
        nn.Conv2d(3, 16, 5),
        relu,
        nn.MaxPool2d(2),
        nn.Flatten(),
        hidden,
        relu,
        hidden,
        relu,
        nn.Linear(400, CLASSES),
    )
