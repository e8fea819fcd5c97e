"""task: 3.6
does: multiplies by 0.1 and 0.2 in encode and divides in decode
hint: The round trip comes out right; compare one offset with a number computed by hand.
"""


def encode_offsets(boxes: Tensor, priors: Tensor) -> Tensor:
    shift = (boxes[:, :2] - priors[:, :2]) * 0.1 / priors[:, 2:]
    return torch.cat([shift, torch.log(boxes[:, 2:] / priors[:, 2:]) * 0.2], 1)


def decode_offsets(offsets: Tensor, priors: Tensor) -> Tensor:
    centre = priors[:, :2] + offsets[:, :2] / 0.1 * priors[:, 2:]
    return torch.cat([centre, priors[:, 2:] * torch.exp(offsets[:, 2:] / 0.2)], 1)
