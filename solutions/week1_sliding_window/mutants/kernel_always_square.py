"""task: 1.3
does: takes the height of the map for both sides of the kernel
hint: It works while the map is as high as it is wide. What are the two sides of your kernel for a
map of 3 rows and 7 columns?
"""


def linear_to_conv(linear: nn.Linear, in_shape: tuple[int, int, int]) -> nn.Conv2d:
    channels, side = in_shape[:2]
    has_bias = linear.bias is not None
    dtype = linear.weight.dtype
    conv = nn.Conv2d(channels, linear.out_features, kernel_size=side, bias=has_bias, dtype=dtype)
    with torch.no_grad():
        conv.weight.copy_(linear.weight.reshape(-1, channels, side, side))
        if has_bias:
            conv.bias.copy_(linear.bias)
    return conv
