"""task: 2.2
does: has windows of 30 pixels
hint: Draw one of your windows over the largest digit: does it hold all of it? Which layers could
see more?
"""


class LocalizationNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 32, 3), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 3), nn.BatchNorm2d(64), nn.ReLU()),
            *(nn.Conv2d(64, 128, 4), nn.BatchNorm2d(128), nn.ReLU()),
            nn.Conv2d(128, 5 + CLASSES, 1),
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


def localization_grid(input_size: tuple[int, int]) -> WindowGrid:
    rows, columns = ((side - 30) // 4 + 1 for side in input_size)
    return WindowGrid(30, 4, (rows, columns))
