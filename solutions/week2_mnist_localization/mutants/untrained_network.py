"""task: 2.9
does: returns a fresh network and never looks at the loader
hint: The network that you return knows as much as a new one. Which object did `train` change, and
is it the one that you return?
"""


def train_localizer(loader: Iterable[tuple[Tensor, Tensor]], epochs: int) -> nn.Module:
    return LocalizationNet()
