"""task: 1.4
does: takes the first linear layer's kernel to be 16×5×5; right for the network of task 1.2 only
hint: Your twin works for the network of task 1.2 and for no other. Which numbers did you type in
that could be computed from the layers?
"""


def convolutionalize(net: nn.Sequential) -> nn.Module:
    layers, seen = [], 0
    for layer in net:
        if isinstance(layer, nn.Flatten):
            continue
        if isinstance(layer, nn.Linear):
            in_shape = (16, 5, 5) if seen == 0 else (layer.in_features, 1, 1)
            conv = linear_to_conv(layer, in_shape)
            conv.weight = nn.Parameter(layer.weight.detach().view_as(conv.weight))
            conv.bias = layer.bias
            layer, seen = conv, seen + 1
        layers.append(layer)
    return nn.Sequential(*layers)
