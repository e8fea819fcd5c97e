"""task: 4.3
does: dilates conv6 by 3
hint: Sizes and parameters are right. How far apart are the cells that your conv6 looks at?
"""

_Right = VGGBase


class VGGBase(_Right):
    def __init__(self) -> None:
        super().__init__()
        self.conv6 = nn.Conv2d(512, 1024, 3, padding=3, dilation=3)
        give_fresh_weights(self.conv6)
