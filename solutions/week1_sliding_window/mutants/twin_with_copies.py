"""task: 1.4
does: copies the weights of the linear layers once instead of sharing them
hint: The twin agrees at first, and no longer after an optimizer's step on `net`. Do your new
layers look at the same memory as the linear ones, or at a copy?
"""


def convolutionalize(net: nn.Sequential) -> nn.Module:
    layers, channels = [], None
    for layer in net:
        if isinstance(layer, nn.Flatten):
            continue
        if isinstance(layer, nn.Linear):
            side = isqrt(layer.in_features // channels)
            layer = linear_to_conv(layer, (channels, side, side))
        channels = getattr(layer, "out_channels", channels)
        layers.append(layer)
    return nn.Sequential(*layers)
