"""task: 1.3
does: the convolution looks at the memory of the linear layer's weights instead of copying
"""


def linear_to_conv(linear: nn.Linear, in_shape: tuple[int, int, int]) -> nn.Conv2d:
    channels, height, width = in_shape
    conv = nn.Conv2d(
        in_channels=channels,
        out_channels=linear.out_features,
        kernel_size=(height, width),
        bias=linear.bias is not None,
        device="meta",
    )
    shape = (linear.out_features, channels, height, width)
    conv.weight = nn.Parameter(linear.weight.detach().view(shape))
    conv.bias = linear.bias
    return conv
