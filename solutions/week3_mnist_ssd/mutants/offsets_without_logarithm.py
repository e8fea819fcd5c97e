"""task: 3.6
does: encodes sizes as their ratio minus one
hint: What does a linear answer of -10 make of a width? The formula has a logarithm.
"""


def encode_offsets(boxes: Tensor, priors: Tensor) -> Tensor:
    shift = (boxes[:, :2] - priors[:, :2]) / (0.1 * priors[:, 2:])
    return torch.cat([shift, (boxes[:, 2:] / priors[:, 2:] - 1) / 0.2], 1)


def decode_offsets(offsets: Tensor, priors: Tensor) -> Tensor:
    centre = priors[:, :2] + 0.1 * offsets[:, :2] * priors[:, 2:]
    return torch.cat([centre, priors[:, 2:] * (1 + 0.2 * offsets[:, 2:])], 1)
