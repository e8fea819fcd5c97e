"""task: 1.3
does: makes a float32 convolution whatever the dtype of the linear layer
hint: A linear layer in float64 should give a convolution in float64. Which dtype has a new
`Conv2d`, and does copying into it change that?
"""


def linear_to_conv(linear: nn.Linear, in_shape: tuple[int, int, int]) -> nn.Conv2d:
    channels, height, width = in_shape
    has_bias = linear.bias is not None
    conv = nn.Conv2d(channels, linear.out_features, (height, width), bias=has_bias)
    with torch.no_grad():
        conv.weight.copy_(linear.weight.view_as(conv.weight))
        if has_bias:
            conv.bias.copy_(linear.bias)
    return conv
