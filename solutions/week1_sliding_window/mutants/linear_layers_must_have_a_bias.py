"""task: 1.4
does: crashes when a linear layer has no bias
hint: Linear layers may come without a bias, and then `layer.bias` is None. What does your code do
with it?
"""


def convolutionalize(net: nn.Sequential) -> nn.Module:
    layers, channels = [], None
    for layer in net:
        if isinstance(layer, nn.Flatten):
            continue
        if isinstance(layer, nn.Linear):
            side = isqrt(layer.in_features // channels)
            conv = nn.Conv2d(channels, layer.out_features, side)
            conv.weight.data = layer.weight.data.view_as(conv.weight)
            conv.bias.data = layer.bias.data
            layer = conv
        channels = getattr(layer, "out_channels", channels)
        layers.append(layer)
    return nn.Sequential(*layers)
