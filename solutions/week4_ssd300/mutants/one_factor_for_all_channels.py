"""task: 4.6
does: learns a single factor
hint: How many numbers does `Rescale` learn, and how many channels are there?
"""


class Rescale(nn.Module):
    def __init__(self, channels: int = 512, factor: float = 20.0) -> None:
        super().__init__()
        self.factors = nn.Parameter(torch.tensor(factor))

    def forward(self, features: Tensor) -> Tensor:
        return F.normalize(features) * self.factors
