"""task: 4.2
does: adds a number for the brightness, as the paper's code does
hint: A black pixel becomes grey. Is the brightness changed by a number that is added or by a
factor?
"""


def distort(image: Tensor, generator: torch.Generator) -> Tensor:
    adjustments = [
        (lambda x, shift: (x + shift).clamp(0, 1), -32 / 255, 32 / 255),
        (TF.adjust_contrast, 0.5, 1.5),
        (TF.adjust_saturation, 0.5, 1.5),
        (TF.adjust_hue, -18 / 255, 18 / 255),
    ]
    for n in torch.randperm(4, generator=generator).tolist():
        adjust, low, high = adjustments[n]
        if uniform(0, 1, generator) < 0.5:
            image = adjust(image, uniform(low, high, generator))
    return image
