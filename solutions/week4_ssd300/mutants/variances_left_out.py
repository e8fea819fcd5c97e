"""task: 4.8
does: leaves 0.1 and 0.2 out, both ways
hint: What are the numbers 0.1 and 0.2 for? A round trip does not miss them; one offset computed by
hand does.
"""


def encode_offsets(boxes: Tensor, priors: Tensor) -> Tensor:
    boxes = ops.box_convert(boxes, "xyxy", "cxcywh")
    shift = (boxes[:, :2] - priors[:, :2]) / priors[:, 2:]
    return torch.cat([shift, torch.log(boxes[:, 2:] / priors[:, 2:])], 1)


def decode_offsets(offsets: Tensor, priors: Tensor) -> Tensor:
    centre = priors[:, :2] + offsets[:, :2] * priors[:, 2:]
    sides = priors[:, 2:] * torch.exp(offsets[:, 2:])
    return torch.cat([centre - sides / 2, centre + sides / 2], 1)
