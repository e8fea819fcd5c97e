"""task: 4.2
does: multiplies the boxes by the scale
hint: Does an object grow when the canvas does? Its pixels are as many as before.
"""


def zoom_out(image: Tensor, boxes: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    height, width = image.shape[1:]
    scale = uniform(1, 4, generator)
    tall, wide = int(scale * height), int(scale * width)
    top, left = whole(tall - height, generator), whole(wide - width, generator)
    canvas = torch.tensor(IMAGENET_MEAN)[:, None, None].repeat(1, tall, wide)
    canvas[:, top : top + height, left : left + width] = image
    return canvas, boxes * scale
