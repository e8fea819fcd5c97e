"""task: 2.1
does: draws the angle as the difference of two random numbers
hint: Draw a histogram of a thousand angles: is it as high at 29° as at 0°? How is the difference of
two uniform numbers distributed?
"""


def place_digit(digit: Tensor, generator: torch.Generator) -> Tensor:
    turn, other, grow, down, right = torch.rand(5, generator=generator).tolist()
    angle = MAX_ANGLE * (turn - other)
    scale = MIN_SCALE + (MAX_SCALE - MIN_SCALE) * grow
    large = TF.affine(
        TF.pad(digit, [18]), angle, [0, 0], scale, [0.0], TF.InterpolationMode.BILINEAR
    )
    rows, columns = (large[0] > 0).any(1).nonzero(), (large[0] > 0).any(0).nonzero()
    ink = large[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = ink.shape[1:]
    top, left = int(down * (SIDE - height + 1)), int(right * (SIDE - width + 1))
    canvas = torch.zeros(1, SIDE, SIDE)
    canvas[:, top : top + height, left : left + width] = ink.clamp(0, 1)
    return canvas
