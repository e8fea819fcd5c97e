"""task: 1.3
does: takes in_shape for (channels, width, height); right for square maps only
hint: Square maps work, others do not. In which order does `in_shape` name the sides, and in which
does `Conv2d` take its kernel's?
"""


def linear_to_conv(linear: nn.Linear, in_shape: tuple[int, int, int]) -> nn.Conv2d:
    channels, width, height = in_shape
    conv = nn.Conv2d(
        channels,
        linear.out_features,
        kernel_size=(height, width),
        bias=linear.bias is not None,
        dtype=linear.weight.dtype,
    )
    conv.weight.data.copy_(linear.weight.data.view_as(conv.weight))
    if linear.bias is not None:
        conv.bias.data.copy_(linear.bias.data)
    return conv
