"""task: 4.6
does: divides by the length of the whole map
hint: Your map is far too small in its values. Over which numbers is the sum of squares that
belongs to one place?
"""


class Rescale(nn.Module):
    def __init__(self, channels: int = 512, factor: float = 20.0) -> None:
        super().__init__()
        self.factors = nn.Parameter(torch.full((channels, 1, 1), factor))

    def forward(self, features: Tensor) -> Tensor:
        return F.normalize(features, dim=(1, 2, 3)) * self.factors
