"""task: 1.3
does: always makes a bias, a random one when the linear layer has none
hint: With a linear layer made with `bias=False`, your convolution still adds something. What does
`Conv2d` do about a bias when you do not tell it?
"""


def linear_to_conv(linear: nn.Linear, in_shape: tuple[int, int, int]) -> nn.Conv2d:
    channels, height, width = in_shape
    conv = nn.Conv2d(channels, linear.out_features, (height, width), dtype=linear.weight.dtype)
    with torch.no_grad():
        conv.weight.copy_(linear.weight.view_as(conv.weight))
        if linear.bias is not None:
            conv.bias.copy_(linear.bias)
    return conv
