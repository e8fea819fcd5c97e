"""task: 4.6
does: takes the root of 0, whose slope is infinite
hint: The values are right, but a gradient is NaN. What is the slope of the square root at 0, and
does your tiny number come before or after the root?
"""


class Rescale(nn.Module):
    def __init__(self, channels: int = 512, factor: float = 20.0) -> None:
        super().__init__()
        self.factors = nn.Parameter(torch.full((channels, 1, 1), factor))

    def forward(self, features: Tensor) -> Tensor:
        return features / (features.square().sum(1, keepdim=True).sqrt() + 1e-10) * self.factors
