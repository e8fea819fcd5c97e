"""task: 2.2
does: keeps its layers in a Python list, so that they are not registered
hint: Print `list(LocalizationNet().parameters())`. How does a module learn of layers that stand in
a plain list?
"""


class LocalizationNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = [
            *(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 3), nn.ReLU()),
            *(nn.Conv2d(64, 128, 6), nn.ReLU()),
            nn.Conv2d(128, 5 + CLASSES, 1),
        ]

    def forward(self, images: Tensor) -> Tensor:
        for layer in self.layers:
            images = layer(images)
        return images


def localization_grid(input_size: tuple[int, int]) -> WindowGrid:
    rows, columns = ((side - 38) // 4 + 1 for side in input_size)
    return WindowGrid(38, 4, (rows, columns))
