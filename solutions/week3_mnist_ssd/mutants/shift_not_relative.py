"""task: 3.6
does: does not divide the shift by the prior's size
hint: Should equal offsets mean equal shifts for large and small priors?
"""


def encode_offsets(boxes: Tensor, priors: Tensor) -> Tensor:
    shift = (boxes[:, :2] - priors[:, :2]) / 0.1
    return torch.cat([shift, torch.log(boxes[:, 2:] / priors[:, 2:]) / 0.2], 1)


def decode_offsets(offsets: Tensor, priors: Tensor) -> Tensor:
    centre = priors[:, :2] + 0.1 * offsets[:, :2]
    return torch.cat([centre, priors[:, 2:] * torch.exp(0.2 * offsets[:, 2:])], 1)
