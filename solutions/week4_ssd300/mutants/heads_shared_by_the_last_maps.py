"""task: 4.5
does: uses the same two convolutions for the last two maps
hint: Your network has too few parameters. Does each of the six maps have convolutions of its own?
"""

_Right = PredictionConvolutions


class PredictionConvolutions(_Right):
    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes)
        self.offsets[5], self.logits[5] = self.offsets[4], self.logits[4]
