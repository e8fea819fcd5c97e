"""task: 1.4
does: shares the linear layers' weights but deep-copies the convolutions
hint: When only the convolutions of `net` change, your twin does not notice. What do you put into
the twin for the layers before `Flatten`?
"""

from copy import deepcopy


def convolutionalize(net: nn.Sequential) -> nn.Module:
    layers, channels = [], None
    for layer in net:
        if isinstance(layer, nn.Flatten):
            continue
        if isinstance(layer, nn.Linear):
            side = isqrt(layer.in_features // channels)
            conv = linear_to_conv(layer, (channels, side, side))
            conv.weight = nn.Parameter(layer.weight.detach().view_as(conv.weight))
            conv.bias = layer.bias
        else:
            conv = deepcopy(layer)
        channels = getattr(conv, "out_channels", channels)
        layers.append(conv)
    return nn.Sequential(*layers)
