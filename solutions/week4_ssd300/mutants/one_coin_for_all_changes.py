"""task: 4.2
does: changes all four or nothing
hint: Half of your images are as they were, the others changed in all four ways. How many coins are
there?
"""


def distort(image: Tensor, generator: torch.Generator) -> Tensor:
    adjustments = [
        (TF.adjust_brightness, 0.5, 1.5),
        (TF.adjust_contrast, 0.5, 1.5),
        (TF.adjust_saturation, 0.5, 1.5),
        (TF.adjust_hue, -18 / 255, 18 / 255),
    ]
    if uniform(0, 1, generator) < 0.5:
        return image
    for n in torch.randperm(4, generator=generator).tolist():
        adjust, low, high = adjustments[n]
        image = adjust(image, uniform(low, high, generator))
    return image
