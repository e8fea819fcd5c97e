"""task: 4.2
does: changes all four every time
hint: Every image that you return has changed in all four ways. How often should each of them
happen?
"""


def distort(image: Tensor, generator: torch.Generator) -> Tensor:
    adjustments = [
        (TF.adjust_brightness, 0.5, 1.5),
        (TF.adjust_contrast, 0.5, 1.5),
        (TF.adjust_saturation, 0.5, 1.5),
        (TF.adjust_hue, -18 / 255, 18 / 255),
    ]
    for n in torch.randperm(4, generator=generator).tolist():
        adjust, low, high = adjustments[n]
        image = adjust(image, uniform(low, high, generator))
    return image
