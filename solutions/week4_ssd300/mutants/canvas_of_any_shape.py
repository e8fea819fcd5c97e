"""task: 4.2
does: draws a scale for each side
hint: Your canvases have another shape than their images. How many scales are drawn?
"""


def zoom_out(image: Tensor, boxes: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    height, width = image.shape[1:]
    scale = uniform(1, 4, generator)
    tall, wide = int(scale * height), int(uniform(1, 4, generator) * width)
    top, left = whole(tall - height, generator), whole(wide - width, generator)
    canvas = torch.tensor(IMAGENET_MEAN)[:, None, None].repeat(1, tall, wide)
    canvas[:, top : top + height, left : left + width] = image
    return canvas, boxes + torch.tensor([left, top, left, top])
