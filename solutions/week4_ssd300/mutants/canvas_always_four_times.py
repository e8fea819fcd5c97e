"""task: 4.2
does: always takes a canvas of four times the sides
hint: All your canvases are equally large. What is drawn from [1, 4]?
"""


def zoom_out(image: Tensor, boxes: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    height, width = image.shape[1:]
    scale = 4.0
    tall, wide = int(scale * height), int(scale * width)
    top, left = whole(tall - height, generator), whole(wide - width, generator)
    canvas = torch.tensor(IMAGENET_MEAN)[:, None, None].repeat(1, tall, wide)
    canvas[:, top : top + height, left : left + width] = image
    return canvas, boxes + torch.tensor([left, top, left, top])
