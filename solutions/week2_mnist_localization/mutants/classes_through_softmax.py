"""task: 2.2
does: applies a softmax to the class channels
hint: Add up channels 1 to 10 of a cell. The loss and the prediction apply log-softmax themselves:
what should the network hand to them?
"""


class LocalizationNet(LocalizationNet):
    def forward(self, images: Tensor) -> Tensor:
        out = self.layers(images)
        return torch.cat([out[:, :1], out[:, 1:11].softmax(1), out[:, 11:]], 1)
