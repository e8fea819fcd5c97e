"""task: 2.1
does: rescales with bicubic interpolation and leaves values below 0 and above 1
hint: Print the minimum and the maximum of some of your images. Which interpolations can overshoot,
and what brings the values back?
"""


def place_digit(digit: Tensor, generator: torch.Generator) -> Tensor:
    turn, grow, down, right = torch.rand(4, generator=generator).tolist()
    angle, scale = MAX_ANGLE * (2 * turn - 1), MIN_SCALE + (MAX_SCALE - MIN_SCALE) * grow
    turned = TF.rotate(digit, angle, TF.InterpolationMode.BILINEAR, expand=True)
    sides = [round(side * scale) for side in turned.shape[1:]]
    large = TF.resize(turned, sides, TF.InterpolationMode.BICUBIC)
    rows, columns = (large[0] > 0).any(1).nonzero(), (large[0] > 0).any(0).nonzero()
    ink = large[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = ink.shape[1:]
    top, left = int(down * (SIDE - height + 1)), int(right * (SIDE - width + 1))
    canvas = torch.zeros(1, SIDE, SIDE)
    canvas[:, top : top + height, left : left + width] = ink
    return canvas
