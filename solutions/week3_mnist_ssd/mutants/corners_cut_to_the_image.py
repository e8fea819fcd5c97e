"""task: 3.3
does: cuts corners to [0, 1]
hint: May a box stick out of the image?
"""


def cxcywh_to_xyxy(boxes: Tensor) -> Tensor:
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat([centre - half, centre + half], -1).clamp(0, 1)
