"""task: 3.6
does: divides the shift by the size of the box instead of the prior's
hint: Seen from whom are offsets? Whose width stands below the fraction?
"""


def encode_offsets(boxes: Tensor, priors: Tensor) -> Tensor:
    shift = (boxes[:, :2] - priors[:, :2]) / (0.1 * boxes[:, 2:])
    return torch.cat([shift, torch.log(boxes[:, 2:] / priors[:, 2:]) / 0.2], 1)
