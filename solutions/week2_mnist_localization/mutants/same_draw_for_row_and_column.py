"""task: 2.1
does: uses one random number for both the row and the column
hint: All your digits lie along one diagonal of the canvas. How many random numbers does a place
need?
"""


def place_digit(digit: Tensor, generator: torch.Generator) -> Tensor:
    turn, grow, shift = torch.rand(3, generator=generator).tolist()
    angle, scale = MAX_ANGLE * (2 * turn - 1), MIN_SCALE + (MAX_SCALE - MIN_SCALE) * grow
    large = TF.affine(
        TF.pad(digit, [18]), angle, [0, 0], scale, [0.0], TF.InterpolationMode.BILINEAR
    )
    rows, columns = (large[0] > 0).any(1).nonzero(), (large[0] > 0).any(0).nonzero()
    ink = large[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = ink.shape[1:]
    top, left = int(shift * (SIDE - height + 1)), int(shift * (SIDE - width + 1))
    canvas = torch.zeros(1, SIDE, SIDE)
    canvas[:, top : top + height, left : left + width] = ink.clamp(0, 1)
    return canvas
