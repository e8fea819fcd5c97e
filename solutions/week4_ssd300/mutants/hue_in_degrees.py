"""task: 4.2
does: shifts the hue by at most 18 degrees
hint: Your hues stay nearer to the original than they should. How large is a whole colour circle
for `adjust_hue`, and in which unit is 18?
"""


def distort(image: Tensor, generator: torch.Generator) -> Tensor:
    adjustments = [
        (TF.adjust_brightness, 0.5, 1.5),
        (TF.adjust_contrast, 0.5, 1.5),
        (TF.adjust_saturation, 0.5, 1.5),
        (TF.adjust_hue, -18 / 360, 18 / 360),
    ]
    for n in torch.randperm(4, generator=generator).tolist():
        adjust, low, high = adjustments[n]
        if uniform(0, 1, generator) < 0.5:
            image = adjust(image, uniform(low, high, generator))
    return image
