"""task: 1.3
does: fills the kernel column by column, so that rows and columns are exchanged
hint: The kernel has the right shape, but each of its channels looks transposed. Which of the two,
row or column, changes faster in a flattened map?
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
        kernel = linear.weight.reshape(linear.out_features, channels, width, height)
        conv.weight.copy_(kernel.transpose(2, 3))
        if linear.bias is not None:
            conv.bias.copy_(linear.bias)
    return conv
