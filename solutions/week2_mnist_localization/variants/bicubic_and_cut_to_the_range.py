"""task: 2.1
does: resizes by bicubic `F.interpolate`, rotates with bilinear weights, cuts greys to [0, 1]
"""


def place_digit(digit: Tensor, generator: torch.Generator) -> Tensor:
    scale = 0.75 + 0.5 * float(torch.rand((), generator=generator))
    angle = float(torch.rand((), generator=generator) * 60 - 30)
    large = F.interpolate(digit[None], scale_factor=scale, mode="bicubic", align_corners=False)
    large = TF.rotate(TF.pad(large[0], [14]), angle, TF.InterpolationMode.BILINEAR).clamp(0, 1)
    rows, columns = (large[0] > 0).any(1).nonzero(), (large[0] > 0).any(0).nonzero()
    ink = large[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = ink.shape[1:]
    top = int(torch.randint(0, SIDE - height + 1, (1,), generator=generator))
    left = int(torch.randint(0, SIDE - width + 1, (1,), generator=generator))
    canvas = torch.zeros(1, SIDE, SIDE)
    canvas[:, top : top + height, left : left + width] = ink
    return canvas
