"""task: 4.4
does: uses conv10 for conv11 as well, since they have the same shapes
hint: Your network has too few parameters. Are two rows of the table that look alike one layer?
"""

_Right = AuxiliaryConvolutions


class AuxiliaryConvolutions(_Right):
    def __init__(self) -> None:
        super().__init__()
        self.blocks[3] = self.blocks[2]
