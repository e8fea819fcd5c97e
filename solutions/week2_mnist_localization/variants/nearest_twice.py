"""task: 2.1
does: resizes by `F.interpolate` with a scale factor and rotates, both with the nearest pixel
"""


def place_digit(digit: Tensor, generator: torch.Generator) -> Tensor:
    angle, scale, down, right = torch.rand(4, generator=generator).tolist()
    large = F.interpolate(digit[None], scale_factor=0.75 + 0.5 * scale, mode="nearest")[0]
    large = TF.rotate(TF.pad(large, [14]), 60 * angle - 30)
    rows, columns = (large[0] > 0).any(1).nonzero(), (large[0] > 0).any(0).nonzero()
    ink = large[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = ink.shape[1:]
    top, left = int(down * (65 - height)), int(right * (65 - width))
    return TF.pad(ink, [left, top, SIDE - width - left, SIDE - height - top])
