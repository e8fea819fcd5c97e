"""task: 4.6
does: keeps the factors in a buffer
hint: Which of the numbers in `Rescale` does an optimizer get to know?
"""


class Rescale(nn.Module):
    def __init__(self, channels: int = 512, factor: float = 20.0) -> None:
        super().__init__()
        self.register_buffer("factors", torch.full((channels, 1, 1), factor))

    def forward(self, features: Tensor) -> Tensor:
        return F.normalize(features) * self.factors
