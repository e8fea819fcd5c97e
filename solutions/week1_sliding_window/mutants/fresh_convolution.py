"""task: 1.3
does: returns a convolution of the right shape with random weights of its own
hint: The shapes are right, but your convolution has weights of its own. Where do you hand over
those of `linear`?
"""


def linear_to_conv(linear: nn.Linear, in_shape: tuple[int, int, int]) -> nn.Conv2d:
    channels, height, width = in_shape
    has_bias = linear.bias is not None
    return nn.Conv2d(
        channels, linear.out_features, (height, width), bias=has_bias, dtype=linear.weight.dtype
    )
