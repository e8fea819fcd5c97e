"""task: 4.8
does: exchanges 0.1 and 0.2, both ways
hint: Which of the two numbers belongs to the centre, which to the size?
"""


def encode_offsets(boxes: Tensor, priors: Tensor) -> Tensor:
    boxes = ops.box_convert(boxes, "xyxy", "cxcywh")
    shift = (boxes[:, :2] - priors[:, :2]) / (0.2 * priors[:, 2:])
    return torch.cat([shift, torch.log(boxes[:, 2:] / priors[:, 2:]) / 0.1], 1)


def decode_offsets(offsets: Tensor, priors: Tensor) -> Tensor:
    centre = priors[:, :2] + 0.2 * offsets[:, :2] * priors[:, 2:]
    sides = priors[:, 2:] * torch.exp(0.1 * offsets[:, 2:])
    return torch.cat([centre - sides / 2, centre + sides / 2], 1)
