"""task: 2.2
does: forgets what the second pooling adds to a window's size
hint: Your cells see a line of pixels more than you say. Go through the layers one by one: by how
much does a pooling layer widen the window?
"""


class LocalizationNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 32, 3), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 3), nn.BatchNorm2d(64), nn.ReLU()),
            *(nn.Conv2d(64, 128, 6), nn.BatchNorm2d(128), nn.ReLU()),
            nn.Conv2d(128, 5 + CLASSES, 1),
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


def localization_grid(input_size: tuple[int, int]) -> WindowGrid:
    rows, columns = ((side - 36) // 4 + 1 for side in input_size)
    return WindowGrid(36, 4, (rows, columns))
