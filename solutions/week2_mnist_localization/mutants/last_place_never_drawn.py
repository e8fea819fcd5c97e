"""task: 2.1
does: never draws the last row and the last column at which the digit fits
hint: Does your digit ever touch the right or the lower border? Count the whole-pixel places at
which ink of 10 pixels fits into 64.
"""


def place_digit(digit: Tensor, generator: torch.Generator) -> Tensor:
    turn, grow, down, right = torch.rand(4, generator=generator).tolist()
    angle, scale = MAX_ANGLE * (2 * turn - 1), MIN_SCALE + (MAX_SCALE - MIN_SCALE) * grow
    large = TF.affine(
        TF.pad(digit, [18]), angle, [0, 0], scale, [0.0], TF.InterpolationMode.BILINEAR
    )
    rows, columns = (large[0] > 0).any(1).nonzero(), (large[0] > 0).any(0).nonzero()
    ink = large[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = ink.shape[1:]
    top, left = int(down * (SIDE - height)), int(right * (SIDE - width))
    canvas = torch.zeros(1, SIDE, SIDE)
    canvas[:, top : top + height, left : left + width] = ink.clamp(0, 1)
    return canvas
