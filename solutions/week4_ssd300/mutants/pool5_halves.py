"""task: 4.3
does: lets pool5 halve as the others do
hint: Your second map is half as large as it should be. What is different about pool5?
"""

_Right = VGGBase


class VGGBase(_Right):
    def __init__(self) -> None:
        super().__init__()
        self.to_pool5[-1] = nn.MaxPool2d(2, 2)
