"""task: 4.2
does: distorts a Pillow picture of eight bits, as many programs do
"""


def distort(image, generator):
    picture = TF.to_pil_image(image)
    ways = [TF.adjust_brightness, TF.adjust_contrast, TF.adjust_saturation, TF.adjust_hue]
    for n in torch.randperm(len(ways), generator=generator).tolist():
        if torch.rand(1, generator=generator).item() >= 0.5:
            continue
        reach = 18 / 255 if ways[n] is TF.adjust_hue else 0.5
        middle = 0.0 if ways[n] is TF.adjust_hue else 1.0
        amount = middle + reach * (2 * torch.rand(1, generator=generator).item() - 1)
        picture = ways[n](picture, amount)
    return TF.to_tensor(picture)
