"""task: 4.6
does: divides by the square of the length
hint: Vectors of length 1 come out right, longer ones too short. What is missing between the sum of
squares and the length?
"""


class Rescale(nn.Module):
    def __init__(self, channels: int = 512, factor: float = 20.0) -> None:
        super().__init__()
        self.factors = nn.Parameter(torch.full((channels, 1, 1), factor))

    def forward(self, features: Tensor) -> Tensor:
        return features / (features.square().sum(1, keepdim=True) + 1e-10) * self.factors
