"""task: 4.2
does: changes colours by formulas of its own, in an order of sorted random numbers
"""

GREY = torch.tensor([0.2989, 0.587, 0.114]).view(3, 1, 1)


def blend(image, other, factor):
    return (factor * image + (1 - factor) * other).clamp(0, 1)


def turn_hue(image, shift):
    value, low = image.amax(0), image.amin(0)
    chroma = value - low
    divisor = torch.where(chroma == 0, torch.ones_like(chroma), chroma)
    r, g, b = (value - image) / divisor
    red, green = image[0] == value, (image[1] == value) & (image[0] != value)
    hue = torch.where(red, b - g, torch.where(green, 2 + r - b, 4 + g - r))
    hue = hue + 6 * shift
    parts = []
    for n in (5, 3, 1):
        k = (n + hue) % 6
        parts.append(value - chroma * torch.minimum(k, 4 - k).clamp(0, 1))
    return torch.stack(parts).clamp(0, 1)


def distort(image, generator):
    coins = torch.rand(4, generator=generator)
    factors = torch.rand(4, generator=generator) + 0.5
    for n in torch.rand(4, generator=generator).argsort():
        factor = factors[n]
        if coins[n] > 0.5:
            continue
        if n == 0:
            image = blend(image, torch.zeros_like(image), factor)
        elif n == 1:
            image = blend(image, (image * GREY).sum(0).mean(), factor)
        elif n == 2:
            image = blend(image, (image * GREY).sum(0, keepdim=True), factor)
        else:
            image = turn_hue(image, (2 * factor - 2) * 18 / 255)
    return image
