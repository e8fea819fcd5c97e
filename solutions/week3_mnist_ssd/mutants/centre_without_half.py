"""task: 3.3
does: adds corners up without halving
hint: Where between two corners lies the centre?
"""


def xyxy_to_cxcywh(boxes: Tensor) -> Tensor:
    first, last = boxes[..., :2], boxes[..., 2:]
    return torch.cat([first + last, last - first], -1)
