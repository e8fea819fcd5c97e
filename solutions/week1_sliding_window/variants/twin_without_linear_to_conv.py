"""task: 1.4
does: one small module per linear layer, which reshapes its weight when it is called
"""


class LinearEverywhere(nn.Module):
    """Apply a linear layer at every place of a map, by unfolding the map."""

    def __init__(self, linear: nn.Linear, side: int):
        super().__init__()
        self.linear, self.side = linear, side

    def forward(self, x: Tensor) -> Tensor:
        patches = x.unfold(2, self.side, 1).unfold(3, self.side, 1)
        patches = patches.permute(0, 2, 3, 1, 4, 5).flatten(3)
        return self.linear(patches).permute(0, 3, 1, 2)


def convolutionalize(net: nn.Sequential) -> nn.Module:
    at = next(i for i, layer in enumerate(net) if isinstance(layer, nn.Flatten))
    channels = [layer.out_channels for layer in net[:at] if isinstance(layer, nn.Conv2d)][-1]
    twin = list(net[:at])
    for layer in net[at + 1 :]:
        if isinstance(layer, nn.Linear):
            twin.append(LinearEverywhere(layer, isqrt(layer.in_features // channels)))
            channels = layer.out_features
        else:
            twin.append(layer)
    return nn.Sequential(*twin)
