"""task: 2.2
does: applies a sigmoid to the detection channel
hint: Channel 0 never leaves the range from 0 to 1. The loss applies the sigmoid itself: what does
"logit" mean?
"""


class LocalizationNet(LocalizationNet):
    def forward(self, images: Tensor) -> Tensor:
        out = self.layers(images)
        return torch.cat([out[:, :1].sigmoid(), out[:, 1:]], 1)
