"""task: 1.4
does: forgets the ReLUs between the linear layers
hint: The weights are shared and yet the scores differ. Print the twin and `net` and compare them
layer by layer after `Flatten`.
"""


def convolutionalize(net: nn.Sequential) -> nn.Module:
    flatten = next(i for i, layer in enumerate(net) if isinstance(layer, nn.Flatten))
    layers = list(net[:flatten])
    channels = next(la.out_channels for la in reversed(layers) if isinstance(la, nn.Conv2d))
    for layer in net[flatten:]:
        if isinstance(layer, nn.Linear):
            side = isqrt(layer.in_features // channels)
            conv = linear_to_conv(layer, (channels, side, side))
            conv.weight = nn.Parameter(layer.weight.detach().view_as(conv.weight))
            conv.bias = layer.bias
            layers.append(conv)
            channels = layer.out_features
    return nn.Sequential(*layers)
