"""task: 2.2
does: has 16 channels, with an eleventh class for windows without ink
hint: You have a channel more than asked. Which channel already says that a window holds no
ink?
"""


class LocalizationNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 32, 3), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 3), nn.BatchNorm2d(64), nn.ReLU()),
            *(nn.Conv2d(64, 128, 6), nn.BatchNorm2d(128), nn.ReLU()),
            nn.Conv2d(128, 1 + (CLASSES + 1) + 4, 1),
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


def localization_grid(input_size: tuple[int, int]) -> WindowGrid:
    rows, columns = ((side - 38) // 4 + 1 for side in input_size)
    return WindowGrid(38, 4, (rows, columns))
