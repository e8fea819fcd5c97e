"""task: 2.1
does: cuts the ink out along pixels above 0.1, and so loses faint rows and columns
hint: Give it a digit whose lower half is as faint as 0.05: is that half still there? Which pixels
are ink?
"""


def place_digit(digit: Tensor, generator: torch.Generator) -> Tensor:
    turn, grow, down, right = torch.rand(4, generator=generator).tolist()
    angle = MAX_ANGLE * (2 * turn - 1)
    scale = MIN_SCALE + (MAX_SCALE - MIN_SCALE) * grow
    margin = (SIDE - digit.shape[-1]) // 2
    large = TF.affine(
        TF.pad(digit, [margin]), angle, [0, 0], scale, [0.0], TF.InterpolationMode.BILINEAR
    )
    rows, columns = (large[0] > 0.1).any(1).nonzero(), (large[0] > 0.1).any(0).nonzero()
    ink = large[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = ink.shape[1:]
    top, left = int(down * (SIDE - height + 1)), int(right * (SIDE - width + 1))
    canvas = torch.zeros(1, SIDE, SIDE)
    canvas[:, top : top + height, left : left + width] = ink.clamp(0, 1)
    return canvas
