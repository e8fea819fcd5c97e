"""task: 2.2
does: has a stride of 16, so that only 2×2 windows fit into an image
hint: Print your grid for a 64×64 image. How many windows lie side by side, and what would a smaller
stride take?
"""


class LocalizationNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(4)),
            *(nn.Conv2d(16, 32, 3), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(4)),
            *(nn.Conv2d(32, 64, 2), nn.BatchNorm2d(64), nn.ReLU()),
            nn.Conv2d(64, 5 + CLASSES, 1),
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


def localization_grid(input_size: tuple[int, int]) -> WindowGrid:
    rows, columns = ((side - 42) // 16 + 1 for side in input_size)
    return WindowGrid(42, 16, (rows, columns))
