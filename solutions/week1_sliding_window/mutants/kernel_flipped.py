"""task: 1.3
does: flips the kernel, as the convolution of the textbooks does
hint: Your kernel holds the right numbers, but turned by 180 degrees. Does PyTorch's `Conv2d` flip
its kernel before it multiplies?
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
        conv.weight.copy_(linear.weight.view_as(conv.weight).flip(2, 3))
        if linear.bias is not None:
            conv.bias.copy_(linear.bias)
    return conv
