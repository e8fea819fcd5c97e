"""task: 1.3
does: reshapes the weight of the linear layer itself, which no longer works afterwards
hint: After your function, the linear layer that was passed in has changed. Which line assigns to
one of its attributes?
"""


def linear_to_conv(linear: nn.Linear, in_shape: tuple[int, int, int]) -> nn.Conv2d:
    channels, height, width = in_shape
    conv = nn.Conv2d(channels, linear.out_features, (height, width))
    linear.weight.data = linear.weight.data.view(linear.out_features, channels, height, width)
    conv.weight = linear.weight
    conv.bias = linear.bias
    return conv
