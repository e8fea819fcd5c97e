"""task: 4.2
does: mirrors top and bottom
hint: People stand on their heads in your images. Which axis runs from left to right?
"""


def flip(image: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    height = image.shape[1]
    x_min, y_min, x_max, y_max = boxes.unbind(1)
    return image.flip(1), torch.stack([x_min, height - y_max, x_max, height - y_min], 1)
