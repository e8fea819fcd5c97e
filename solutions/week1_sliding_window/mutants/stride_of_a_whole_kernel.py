"""task: 1.3
does: moves by a whole kernel; right only on a map of exactly the kernel's size
hint: On a map of the kernel's own size all is well, on a larger one you return too few cells. How
far does your convolution move between two outputs?
"""


def linear_to_conv(linear: nn.Linear, in_shape: tuple[int, int, int]) -> nn.Conv2d:
    channels, height, width = in_shape
    conv = nn.Conv2d(
        channels,
        linear.out_features,
        kernel_size=(height, width),
        stride=(height, width),
        bias=linear.bias is not None,
        dtype=linear.weight.dtype,
    )
    with torch.no_grad():
        conv.weight.copy_(linear.weight.view_as(conv.weight))
        if linear.bias is not None:
            conv.bias.copy_(linear.bias)
    return conv
