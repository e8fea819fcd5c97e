"""task: 4.2
does: changes brightness, contrast, saturation and hue, always in this order
hint: Each change by itself is right. Brightness before hue is not the same as hue before
brightness: which orders occur?
"""


def distort(image: Tensor, generator: torch.Generator) -> Tensor:
    adjustments = [
        (TF.adjust_brightness, 0.5, 1.5),
        (TF.adjust_contrast, 0.5, 1.5),
        (TF.adjust_saturation, 0.5, 1.5),
        (TF.adjust_hue, -18 / 255, 18 / 255),
    ]
    for adjust, low, high in adjustments:
        if uniform(0, 1, generator) < 0.5:
            image = adjust(image, uniform(low, high, generator))
    return image
