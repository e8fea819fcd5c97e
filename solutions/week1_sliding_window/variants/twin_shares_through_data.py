"""task: 1.4
does: makes new layers throughout and points their `.data` at that of `net`
"""

from copy import deepcopy


def share(new: nn.Module, old: nn.Module) -> nn.Module:
    """Let the parameters of `new` look at those of `old`."""
    new.weight.data = old.weight.data.view(new.weight.shape)
    if old.bias is not None:
        new.bias.data = old.bias.data
    return new


def convolutionalize(net: nn.Sequential) -> nn.Module:
    twin, channels = nn.Sequential(), 0
    for name, layer in net.named_children():
        if isinstance(layer, nn.Linear):
            side = round((layer.in_features / channels) ** 0.5)
            twin.add_module(
                f"{name}_converted", share(linear_to_conv(layer, (channels, side, side)), layer)
            )
            channels = layer.out_features
        elif isinstance(layer, nn.Conv2d):
            twin.add_module(name, share(deepcopy(layer), layer))
            channels = layer.out_channels
        elif not isinstance(layer, nn.Flatten):
            twin.add_module(name, deepcopy(layer))
    return twin
