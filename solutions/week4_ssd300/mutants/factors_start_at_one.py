"""task: 4.6
does: starts the factors at 1
hint: Which length has each vector at first? Compare it with the statement.
"""


class Rescale(nn.Module):
    def __init__(self, channels: int = 512, factor: float = 20.0) -> None:
        super().__init__()
        self.factors = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        return F.normalize(features) * self.factors
