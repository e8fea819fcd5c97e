"""task: 4.3
does: makes conv6 an ordinary 3×3 convolution
hint: Sizes and parameters are right. How far apart are the cells that your conv6 looks at?
"""

_Right = VGGBase


class VGGBase(_Right):
    def __init__(self) -> None:
        super().__init__()
        self.conv6 = nn.Conv2d(512, 1024, 3, padding=1)
        give_fresh_weights(self.conv6)
