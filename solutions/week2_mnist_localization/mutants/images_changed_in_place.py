"""task: 2.2
does: centres the images in place
hint: Call your network twice with the very same tensor: are the answers equal? What has become of
the images after the first call?
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
        images -= 0.5
        return self.layers(images)


def localization_grid(input_size: tuple[int, int]) -> WindowGrid:
    rows, columns = ((side - 38) // 4 + 1 for side in input_size)
    return WindowGrid(38, 4, (rows, columns))
