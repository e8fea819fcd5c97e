"""task: 4.3
does: lets pool3 round down as the others do
hint: Your first map has 37×37 cells where 38×38 are right. Half of 75 is 37.5: what does your
pool3 make of it?
"""

_Right = VGGBase


class VGGBase(_Right):
    def __init__(self) -> None:
        super().__init__()
        for layer in self.modules():
            if isinstance(layer, nn.MaxPool2d):
                layer.ceil_mode = False
