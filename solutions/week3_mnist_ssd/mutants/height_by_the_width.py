"""task: 3.6
does: divides both shifts by the prior's width
hint: By what is the shift in y divided?
"""


def encode_offsets(boxes: Tensor, priors: Tensor) -> Tensor:
    shift = (boxes[:, :2] - priors[:, :2]) / (0.1 * priors[:, 2:3])
    return torch.cat([shift, torch.log(boxes[:, 2:] / priors[:, 2:]) / 0.2], 1)
