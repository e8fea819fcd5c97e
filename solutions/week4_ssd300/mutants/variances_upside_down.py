"""task: 4.8
does: multiplies by 0.1 and 0.2 in encode and divides in decode
hint: The round trip comes out right; compare one offset with a number computed by hand. Are
offsets larger or smaller than the shifts themselves?
"""


def encode_offsets(boxes: Tensor, priors: Tensor) -> Tensor:
    boxes = ops.box_convert(boxes, "xyxy", "cxcywh")
    shift = (boxes[:, :2] - priors[:, :2]) / priors[:, 2:] * 0.1
    return torch.cat([shift, torch.log(boxes[:, 2:] / priors[:, 2:]) * 0.2], 1)


def decode_offsets(offsets: Tensor, priors: Tensor) -> Tensor:
    centre = priors[:, :2] + 10 * offsets[:, :2] * priors[:, 2:]
    sides = priors[:, 2:] * torch.exp(5 * offsets[:, 2:])
    return torch.cat([centre - sides / 2, centre + sides / 2], 1)
