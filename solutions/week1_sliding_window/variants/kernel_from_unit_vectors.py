"""task: 1.3
does: finds the kernel by asking the linear layer for its answer to each unit vector
"""

from torch.nn import functional


@torch.no_grad()
def linear_to_conv(linear: nn.Linear, in_shape: tuple[int, int, int]) -> nn.Conv2d:
    """Probe the layer, one input at a time, and write each answer into the kernel."""
    units = torch.eye(linear.in_features, dtype=linear.weight.dtype)
    answers = functional.linear(units, linear.weight)
    has_bias = linear.bias is not None
    conv = nn.Conv2d(in_shape[0], linear.out_features, in_shape[1:], bias=has_bias)
    conv = conv.to(linear.weight.dtype)
    state = {"weight": answers.T.reshape(linear.out_features, *in_shape)}
    if has_bias:
        state["bias"] = linear.bias.clone()
    conv.load_state_dict(state)
    return conv
