"""task: 4.2
does: changes the hue before the others, which come in a random order
hint: Are all 24 orders of the four distortions possible, and equally likely?
"""


def distort(image: Tensor, generator: torch.Generator) -> Tensor:
    others = [
        (TF.adjust_brightness, 0.5, 1.5),
        (TF.adjust_contrast, 0.5, 1.5),
        (TF.adjust_saturation, 0.5, 1.5),
    ]
    order = torch.randperm(3, generator=generator).tolist()
    for adjust, low, high in [(TF.adjust_hue, -18 / 255, 18 / 255), *(others[n] for n in order)]:
        if uniform(0, 1, generator) < 0.5:
            image = adjust(image, uniform(low, high, generator))
    return image
