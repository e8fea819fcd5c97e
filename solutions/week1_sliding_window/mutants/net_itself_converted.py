"""task: 1.4
does: replaces the layers inside `net` and returns it, so that the classifier is gone
hint: After your function `net` is no longer the classifier it was. Do you build a new container,
or do you replace layers in the one that you were given?
"""


def convolutionalize(net: nn.Sequential) -> nn.Module:
    channels = None
    for index, layer in enumerate(net):
        if isinstance(layer, nn.Flatten):
            net[index] = nn.Identity()
        if isinstance(layer, nn.Linear):
            side = isqrt(layer.in_features // channels)
            net[index] = linear_to_conv(layer, (channels, side, side))
            net[index].weight = nn.Parameter(layer.weight.detach().view(-1, channels, side, side))
            net[index].bias = layer.bias
        channels = getattr(net[index], "out_channels", channels)
    return net
