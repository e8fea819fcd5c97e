"""task: 2.2
does: smallest windows allowed: average pooling, dropout, no normalisation, ELU
"""


class LocalizationNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 5),
            nn.ELU(),
            nn.AvgPool2d(2),
            nn.Conv2d(8, 24, 3),
            nn.ELU(),
            nn.AvgPool2d(2),
            nn.Dropout2d(0.1),
            nn.Conv2d(24, 48, 7),
            nn.ELU(),
        )
        self.answers = nn.Conv2d(48, 15, 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.answers(self.features(images))


def localization_grid(input_size: tuple[int, int]) -> WindowGrid:
    # 5 (convolution) + 1 (pooling) + 2·2 (convolution) + 2 (pooling) + 4·6 (convolution)
    rows, columns = input_size
    return WindowGrid(36, 4, ((rows - 32) // 4, (columns - 32) // 4))
