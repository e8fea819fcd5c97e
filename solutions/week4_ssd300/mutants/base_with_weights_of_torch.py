"""task: 4.3
does: leaves the weights as torch makes them
hint: The network is right, its fresh weights are smaller than they should be. Who initialises your
convolutions?
"""

_Right = VGGBase


class VGGBase(_Right):
    def __init__(self) -> None:
        super().__init__()
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                layer.reset_parameters()
