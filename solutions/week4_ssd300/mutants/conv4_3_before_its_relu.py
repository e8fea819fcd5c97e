"""task: 4.3
does: returns conv4_3 before its ReLU
hint: Your first map has negative values. After which layer should it be taken?
"""

_Right = VGGBase


class VGGBase(_Right):
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        conv4_3 = self.to_conv4_3[:-1](images)
        conv6 = F.relu(self.conv6(self.to_pool5(F.relu(conv4_3))))
        return conv4_3, F.relu(self.conv7(conv6))
