"""task: 2.1
does: sets everything below 0.5 to 0 and the rest to 1
hint: Your digits are black and white only, while the patches have greys. What happens to the
faint pixels at the edge of a stroke?
"""


def place_digit(digit: Tensor, generator: torch.Generator) -> Tensor:
    turn, grow, down, right = torch.rand(4, generator=generator).tolist()
    angle, scale = MAX_ANGLE * (2 * turn - 1), MIN_SCALE + (MAX_SCALE - MIN_SCALE) * grow
    large = TF.affine(
        TF.pad(digit, [18]), angle, [0, 0], scale, [0.0], TF.InterpolationMode.BILINEAR
    )
    large = (large >= 0.5).float()
    rows, columns = (large[0] > 0).any(1).nonzero(), (large[0] > 0).any(0).nonzero()
    ink = large[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = ink.shape[1:]
    top, left = int(down * (SIDE - height + 1)), int(right * (SIDE - width + 1))
    canvas = torch.zeros(1, SIDE, SIDE)
    canvas[:, top : top + height, left : left + width] = ink
    return canvas
