"""task: 2.1
does: turns the patch within its 28×28 pixels, which cuts its corners off
hint: Turn a patch with ink in its corners by 30° and look at it before you place it. Is there room
for the corners?
"""


def place_digit(digit: Tensor, generator: torch.Generator) -> Tensor:
    turn, grow, down, right = torch.rand(4, generator=generator).tolist()
    angle, scale = MAX_ANGLE * (2 * turn - 1), MIN_SCALE + (MAX_SCALE - MIN_SCALE) * grow
    turned = TF.rotate(digit, angle, TF.InterpolationMode.BILINEAR)
    large = TF.affine(
        TF.pad(turned, [18]), 0.0, [0, 0], scale, [0.0], TF.InterpolationMode.BILINEAR
    )
    rows, columns = (large[0] > 0).any(1).nonzero(), (large[0] > 0).any(0).nonzero()
    ink = large[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = ink.shape[1:]
    top, left = int(down * (SIDE - height + 1)), int(right * (SIDE - width + 1))
    canvas = torch.zeros(1, SIDE, SIDE)
    canvas[:, top : top + height, left : left + width] = ink.clamp(0, 1)
    return canvas
