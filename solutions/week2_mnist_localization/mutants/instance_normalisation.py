"""task: 2.2
does: normalises each map by its own mean and spread, so that every cell sees the whole image
hint: Change a pixel far outside a window: its answers change too. Which of your layers looks at
all places of a map at once?
"""


class LocalizationNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(1, 16, 3), nn.InstanceNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 32, 3), nn.InstanceNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 3), nn.InstanceNorm2d(64), nn.ReLU()),
            *(nn.Conv2d(64, 128, 6), nn.BatchNorm2d(128), nn.ReLU()),
            nn.Conv2d(128, 5 + CLASSES, 1),
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


def localization_grid(input_size: tuple[int, int]) -> WindowGrid:
    rows, columns = ((side - 38) // 4 + 1 for side in input_size)
    return WindowGrid(38, 4, (rows, columns))
