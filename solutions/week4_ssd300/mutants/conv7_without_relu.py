"""task: 4.3
does: has no ReLU after conv7
hint: Your second map has negative values. What follows conv7?
"""

_Right = VGGBase


class VGGBase(_Right):
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        conv4_3 = self.to_conv4_3(images)
        conv6 = F.relu(self.conv6(self.to_pool5(conv4_3)))
        return conv4_3, self.conv7(conv6)
