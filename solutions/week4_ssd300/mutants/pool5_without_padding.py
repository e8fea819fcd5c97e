"""task: 4.3
does: gives pool5 no padding
hint: Your second map lacks a row and a column on each side. What has a 3×3 window to do to keep
the size?
"""

_Right = VGGBase


class VGGBase(_Right):
    def __init__(self) -> None:
        super().__init__()
        self.to_pool5[-1] = nn.MaxPool2d(3, 1)
