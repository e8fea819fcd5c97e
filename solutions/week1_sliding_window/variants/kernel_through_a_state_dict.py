"""task: 1.3
does: hands the weights over as a state dict
"""


def linear_to_conv(linear: nn.Linear, in_shape: tuple[int, int, int]) -> nn.Conv2d:
    conv = nn.Conv2d(
        in_shape[0], linear.out_features, in_shape[1:], bias="bias" in linear.state_dict()
    ).to(linear.weight.dtype)
    state = {name: value.clone() for name, value in linear.state_dict().items()}
    state["weight"] = state["weight"].unflatten(1, in_shape)
    conv.load_state_dict(state)
    return conv
