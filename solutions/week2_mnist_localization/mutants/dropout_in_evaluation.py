"""task: 2.2
does: drops channels at random in evaluation mode as well
hint: In evaluation mode two passes of one image differ. How does `F.dropout` know in which mode
the network is, compared with `nn.Dropout`?
"""


class LocalizationNet(LocalizationNet):
    def forward(self, images: Tensor) -> Tensor:
        features = F.dropout(self.layers[:-1](images), 0.2)
        return self.layers[-1](features)
