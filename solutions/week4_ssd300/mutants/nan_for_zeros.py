"""task: 4.6
does: divides zeros by zero
hint: What is 0 divided by 0? A ReLU can leave a vector of zeros.
"""


class Rescale(nn.Module):
    def __init__(self, channels: int = 512, factor: float = 20.0) -> None:
        super().__init__()
        self.factors = nn.Parameter(torch.full((channels, 1, 1), factor))

    def forward(self, features: Tensor) -> Tensor:
        return features / features.norm(dim=1, keepdim=True) * self.factors
