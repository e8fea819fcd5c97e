"""task: 2.2
does: sets a seed before it makes its layers
hint: Each of your networks begins with the same weights, and everything random after it is fixed as
well. Where does a seed belong?
"""


class LocalizationNet(LocalizationNet):
    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__()
