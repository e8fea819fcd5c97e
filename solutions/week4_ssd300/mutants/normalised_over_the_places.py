"""task: 4.6
does: divides each channel by its length over all places
hint: The sum of squares goes over the channels of one place. Over which axes does yours go?
"""


class Rescale(nn.Module):
    def __init__(self, channels: int = 512, factor: float = 20.0) -> None:
        super().__init__()
        self.factors = nn.Parameter(torch.full((channels, 1, 1), factor))

    def forward(self, features: Tensor) -> Tensor:
        return F.normalize(features, dim=(2, 3)) * self.factors
