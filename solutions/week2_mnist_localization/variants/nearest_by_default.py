"""task: 2.1
does: pads, then `TF.affine` with its default interpolation, the nearest pixel
"""


def place_digit(digit: Tensor, generator: torch.Generator) -> Tensor:
    angle, scale, down, right = torch.rand(4, generator=generator).tolist()
    large = TF.affine(TF.pad(digit, [18]), 60 * angle - 30, [0, 0], 0.75 + 0.5 * scale, [0.0])
    rows, columns = (large[0] > 0).any(1).nonzero(), (large[0] > 0).any(0).nonzero()
    ink = large[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = ink.shape[1:]
    top, left = int(down * (65 - height)), int(right * (65 - width))
    return TF.pad(ink, [left, top, SIDE - width - left, SIDE - height - top])
