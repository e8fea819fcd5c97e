"""task: 2.1
does: turns and scales on 40 pixels, where corners of large patches are cut off
hint: How far apart are two opposite corners of the largest patch, turned by 30 degrees and scaled
by 1.25? Is your intermediate canvas as wide?
"""


def place_digit(digit: Tensor, generator: torch.Generator) -> Tensor:
    turn, grow, down, right = torch.rand(4, generator=generator).tolist()
    angle = MAX_ANGLE * (2 * turn - 1)
    scale = MIN_SCALE + (MAX_SCALE - MIN_SCALE) * grow
    margin = 6
    large = TF.affine(
        TF.pad(digit, [margin]), angle, [0, 0], scale, [0.0], TF.InterpolationMode.BILINEAR
    )
    rows, columns = (large[0] > 0).any(1).nonzero(), (large[0] > 0).any(0).nonzero()
    ink = large[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = ink.shape[1:]
    top, left = int(down * (SIDE - height + 1)), int(right * (SIDE - width + 1))
    canvas = torch.zeros(1, SIDE, SIDE)
    canvas[:, top : top + height, left : left + width] = ink.clamp(0, 1)
    return canvas
