"""task: 4.2
does: draws only when contrast comes, as the paper's code does
hint: Brightness always comes first, and saturation before hue. How many orders can your code draw,
and how many orders have four things?
"""


def distort(image: Tensor, generator: torch.Generator) -> Tensor:
    adjustments = [
        (TF.adjust_brightness, 0.5, 1.5),
        (TF.adjust_contrast, 0.5, 1.5),
        (TF.adjust_saturation, 0.5, 1.5),
        (TF.adjust_hue, -18 / 255, 18 / 255),
    ]
    for n in ([0, 1, 2, 3], [0, 2, 3, 1])[whole(1, generator)]:
        adjust, low, high = adjustments[n]
        if uniform(0, 1, generator) < 0.5:
            image = adjust(image, uniform(low, high, generator))
    return image
