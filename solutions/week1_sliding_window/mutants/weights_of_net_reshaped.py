"""task: 1.4
does: ties the twin to `net` by reshaping the weights of `net`, whose linear layers then fail
hint: The twin works, but `net` has stopped working. Which line gives one of its weights another
shape?
"""


def convolutionalize(net: nn.Sequential) -> nn.Module:
    layers, channels = [], None
    for layer in net:
        if isinstance(layer, nn.Flatten):
            continue
        if isinstance(layer, nn.Linear):
            side = isqrt(layer.in_features // channels)
            conv = nn.Conv2d(channels, layer.out_features, side, bias=layer.bias is not None)
            layer.weight.data = layer.weight.data.view_as(conv.weight)
            conv.weight, conv.bias = layer.weight, layer.bias
            layer = conv
        channels = getattr(layer, "out_channels", channels)
        layers.append(layer)
    return nn.Sequential(*layers)
