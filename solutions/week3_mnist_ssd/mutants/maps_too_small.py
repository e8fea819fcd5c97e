"""task: 3.5
does: pools once too often
hint: How many cells has the first map? Follow the side of the image through your layers.
"""


class BaseConvolutions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(
            *(conv(1, 16, padding=1), conv(16, 16, padding=1), nn.MaxPool2d(2)),
            *(conv(16, 32, padding=1), conv(32, 32, padding=1), nn.MaxPool2d(2)),
        )
        self.second = nn.Sequential(
            nn.MaxPool2d(2), conv(32, 64, padding=1), conv(64, 64, padding=1)
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        first = self.first(images)
        return [first, self.second(first)]
