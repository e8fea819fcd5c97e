"""task: 1.2
does: keeps the layers in a Python list, so that the module has no parameters
hint: Your network computes, but `list(net.parameters())` is empty, so nothing could train it.
PyTorch registers only modules that sit in attributes or in its own containers; which container
keeps a list of layers?
"""


class WindowClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [
            nn.Conv2d(3, 16, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(400, 400),
            nn.ReLU(),
            nn.Linear(400, 400),
            nn.ReLU(),
            nn.Linear(400, CLASSES),
        ]

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def build_network() -> nn.Module:
    return WindowClassifier()
