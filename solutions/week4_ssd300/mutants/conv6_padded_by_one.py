"""task: 4.3
does: pads conv6 by 1 only
hint: Your second map is ten cells too small in each direction. How wide is a kernel of 3 with
dilation 6, and which padding keeps the size?
"""

_Right = VGGBase


class VGGBase(_Right):
    def __init__(self) -> None:
        super().__init__()
        self.conv6 = nn.Conv2d(512, 1024, 3, padding=1, dilation=6)
        give_fresh_weights(self.conv6)
