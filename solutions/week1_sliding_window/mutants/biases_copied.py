"""task: 1.4
does: shares the weights of the linear layers but copies their biases
hint: After a step on `net` the twin follows only in part: its answers are off by a constant per
output. Which parameters of the linear layers do you share, and which not?
"""


def convolutionalize(net: nn.Sequential) -> nn.Module:
    layers, channels = [], None
    for layer in net:
        if isinstance(layer, nn.Flatten):
            continue
        if isinstance(layer, nn.Linear):
            side = isqrt(layer.in_features // channels)
            conv = linear_to_conv(layer, (channels, side, side))
            conv.weight.data = layer.weight.data.view_as(conv.weight)
            layer = conv
        channels = getattr(layer, "out_channels", channels)
        layers.append(layer)
    return nn.Sequential(*layers)
