"""task: 4.2
does: puts the image into the upper left corner
hint: Your image always lies in the same place. What has to be drawn besides the scale?
"""


def zoom_out(image: Tensor, boxes: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    height, width = image.shape[1:]
    scale = uniform(1, 4, generator)
    tall, wide = int(scale * height), int(scale * width)
    top, left = 0, 0
    canvas = torch.tensor(IMAGENET_MEAN)[:, None, None].repeat(1, tall, wide)
    canvas[:, top : top + height, left : left + width] = image
    return canvas, boxes + torch.tensor([left, top, left, top])
