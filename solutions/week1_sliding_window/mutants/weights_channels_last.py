"""task: 1.3
does: reads each row of the weight matrix as (height, width, channels)
hint: The right numbers, in the wrong places of the kernel. In which order does `flatten(1)` write
out a map of shape (channels, height, width)?
"""


def linear_to_conv(linear: nn.Linear, in_shape: tuple[int, int, int]) -> nn.Conv2d:
    channels, height, width = in_shape
    conv = nn.Conv2d(
        channels,
        linear.out_features,
        (height, width),
        bias=linear.bias is not None,
        dtype=linear.weight.dtype,
    )
    with torch.no_grad():
        kernel = linear.weight.reshape(linear.out_features, height, width, channels)
        conv.weight.copy_(kernel.permute(0, 3, 1, 2))
        if linear.bias is not None:
            conv.bias.copy_(linear.bias)
    return conv
