"""task: 1.2
does: seeds the generator, so that all networks have the same weights
hint: Two calls gave the same weights. What in your function makes PyTorch's random numbers start
over?
"""


def build_network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
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
