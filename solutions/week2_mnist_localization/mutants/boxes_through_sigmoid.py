"""task: 2.2
does: squeezes the box channels into 0 to 1
hint: Your boxes never stick out of their window. Which numbers must the box channels be able to
reach?
"""


class LocalizationNet(LocalizationNet):
    def forward(self, images: Tensor) -> Tensor:
        out = self.layers(images)
        return torch.cat([out[:, :11], out[:, 11:].sigmoid()], 1)
