"""task: 3.6
does: leaves 0.1 and 0.2 out, both ways
hint: What are the numbers 0.1 and 0.2 in the formulas for?
"""


def encode_offsets(boxes: Tensor, priors: Tensor) -> Tensor:
    shift = (boxes[:, :2] - priors[:, :2]) / priors[:, 2:]
    return torch.cat([shift, torch.log(boxes[:, 2:] / priors[:, 2:])], 1)


def decode_offsets(offsets: Tensor, priors: Tensor) -> Tensor:
    centre = priors[:, :2] + offsets[:, :2] * priors[:, 2:]
    return torch.cat([centre, priors[:, 2:] * torch.exp(offsets[:, 2:])], 1)
