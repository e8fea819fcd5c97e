"""task: 1.4
does: puts a 2×2 max-pooling in the place of every pooling layer
hint: Networks that pool by 2 work, others do not. Do you use the pooling layers of `net`, or do
you make new ones with a size that you typed in?
"""


def convolutionalize(net: nn.Sequential) -> nn.Module:
    layers, channels = [], None
    for layer in net:
        if isinstance(layer, nn.Conv2d):
            layers.append(layer)
            channels = layer.out_channels
        elif isinstance(layer, nn.ReLU):
            layers.append(nn.ReLU())
        elif isinstance(layer, nn.MaxPool2d):
            layers.append(nn.MaxPool2d(2))
        elif isinstance(layer, nn.Linear):
            side = isqrt(layer.in_features // channels)
            conv = linear_to_conv(layer, (channels, side, side))
            conv.weight = nn.Parameter(layer.weight.detach().view_as(conv.weight))
            conv.bias = layer.bias
            layers.append(conv)
            channels = layer.out_features
    return nn.Sequential(*layers)
