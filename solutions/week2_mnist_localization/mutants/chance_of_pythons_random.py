"""task: 2.1
does: draws the place with Python's `random`
hint: An equal seed gives the same digit at another place. Where does the chance for the row and the
column come from?
"""

import random


def place_digit(digit: Tensor, generator: torch.Generator) -> Tensor:
    turn, grow = torch.rand(2, generator=generator).tolist()
    angle, scale = MAX_ANGLE * (2 * turn - 1), MIN_SCALE + (MAX_SCALE - MIN_SCALE) * grow
    large = TF.affine(
        TF.pad(digit, [18]), angle, [0, 0], scale, [0.0], TF.InterpolationMode.BILINEAR
    )
    rows, columns = (large[0] > 0).any(1).nonzero(), (large[0] > 0).any(0).nonzero()
    ink = large[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = ink.shape[1:]
    top, left = random.randint(0, SIDE - height), random.randint(0, SIDE - width)
    canvas = torch.zeros(1, SIDE, SIDE)
    canvas[:, top : top + height, left : left + width] = ink.clamp(0, 1)
    return canvas
