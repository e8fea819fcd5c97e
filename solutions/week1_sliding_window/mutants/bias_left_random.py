"""task: 1.3
does: copies the weights and leaves the convolution its random bias
hint: Your answers are off by one constant per output, the same for every input. What besides the
weights does a linear layer have?
"""


def linear_to_conv(linear: nn.Linear, in_shape: tuple[int, int, int]) -> nn.Conv2d:
    channels, height, width = in_shape
    has_bias = linear.bias is not None
    conv = nn.Conv2d(
        channels, linear.out_features, (height, width), bias=has_bias, dtype=linear.weight.dtype
    )
    with torch.no_grad():
        conv.weight.copy_(linear.weight.view_as(conv.weight))
    return conv
