"""task: 4.6
does: rescales conv7, too, before the auxiliary convolutions
hint: conv4_3 is treated as it should be. What do the auxiliary convolutions see of conv7?
"""


class SSD300(nn.Module):
    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.base = VGGBase()
        self.rescale = Rescale()
        self.auxiliary = AuxiliaryConvolutions()
        self.prediction = PredictionConvolutions(num_classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        conv4_3, conv7 = self.base(images)
        conv7 = 20 * F.normalize(conv7)
        return self.prediction([self.rescale(conv4_3), conv7, *self.auxiliary(conv7)])
