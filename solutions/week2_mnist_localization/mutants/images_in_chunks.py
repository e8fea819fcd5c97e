"""task: 2.4
does: encodes 32 images at a time
hint: Encode 32 images, then 64: are the steps the same? What keeps you from handing all images
over at once?
"""

_encode = encode_targets


def encode_targets(boxes: Tensor, labels: Tensor, grid: WindowGrid) -> Tensor:
    parts = zip(boxes.split(32), labels.split(32), strict=True)
    return torch.cat([_encode(some, names, grid) for some, names in parts])
