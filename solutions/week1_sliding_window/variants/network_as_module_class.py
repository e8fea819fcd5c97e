"""task: 1.2
does: a subclass of nn.Module with a functional forward pass instead of a Sequential
"""

from torch.nn import functional


class WindowClassifier(nn.Module):
    """Score four classes in windows of 14×14 pixels."""

    def __init__(self, classes: int = 4):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 400)
        self.fc2 = nn.Linear(400, 400)
        self.fc3 = nn.Linear(400, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.max_pool2d(functional.relu(self.conv(x)), 2)
        x = functional.relu(self.fc1(x.flatten(1)))
        return self.fc3(functional.relu(self.fc2(x)))


def build_network() -> nn.Module:
    return WindowClassifier(CLASSES)
