"""task: 3.5
does: turns the third feature map upside down
hint: Where in the image does the first row of the third map look?
"""


class AuxiliaryConvolutions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(conv(64, 32, 1), conv(32, 64, stride=2, padding=1))

    def forward(self, features: Tensor) -> list[Tensor]:
        return [self.layers(features).flip(2)]
