"""task: 4.2
does: leaves the boxes where they were
hint: Draw your boxes on the canvas: do they still hold their objects?
"""


def zoom_out(image: Tensor, boxes: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    height, width = image.shape[1:]
    scale = uniform(1, 4, generator)
    tall, wide = int(scale * height), int(scale * width)
    top, left = whole(tall - height, generator), whole(wide - width, generator)
    canvas = torch.tensor(IMAGENET_MEAN)[:, None, None].repeat(1, tall, wide)
    canvas[:, top : top + height, left : left + width] = image
    return canvas, boxes.clone()
