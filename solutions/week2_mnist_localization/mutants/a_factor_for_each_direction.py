"""task: 2.1
does: stretches height and width by factors drawn apart
hint: Some of your digits are squeezed and some are stretched. How many factors does step 2 draw?
"""


def place_digit(digit: Tensor, generator: torch.Generator) -> Tensor:
    turn, down, right = torch.rand(3, generator=generator).tolist()
    factors = MIN_SCALE + (MAX_SCALE - MIN_SCALE) * torch.rand(2, generator=generator)
    sides = [round(28 * factor) for factor in factors.tolist()]
    resized = TF.resize(digit, sides).clamp(0, 1)
    large = TF.rotate(
        TF.pad(resized, [10]), MAX_ANGLE * (2 * turn - 1), TF.InterpolationMode.BILINEAR
    )
    rows, columns = (large[0] > 0).any(1).nonzero(), (large[0] > 0).any(0).nonzero()
    ink = large[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = ink.shape[1:]
    top, left = int(down * (SIDE - height + 1)), int(right * (SIDE - width + 1))
    canvas = torch.zeros(1, SIDE, SIDE)
    canvas[:, top : top + height, left : left + width] = ink.clamp(0, 1)
    return canvas
