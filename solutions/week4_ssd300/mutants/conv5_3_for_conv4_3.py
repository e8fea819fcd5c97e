"""task: 4.3
does: returns conv5_3 in place of conv4_3
hint: Your first map has as many cells as the second. In which of the five blocks does conv4_3 lie?
"""

_Right = VGGBase


class VGGBase(_Right):
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        conv5_3 = self.to_pool5[:-1](self.to_conv4_3(images))
        conv6 = F.relu(self.conv6(self.to_pool5[-1](conv5_3)))
        return conv5_3, F.relu(self.conv7(conv6))
