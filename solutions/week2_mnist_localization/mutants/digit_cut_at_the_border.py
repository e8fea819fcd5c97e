"""task: 2.1
does: puts the ink's corner anywhere on the canvas and cuts off what then lies outside
hint: Near the right and the lower border a part of your digit is missing. From which places on
does the ink still fit onto the canvas?
"""


def place_digit(digit: Tensor, generator: torch.Generator) -> Tensor:
    turn, grow, down, right = torch.rand(4, generator=generator).tolist()
    angle, scale = MAX_ANGLE * (2 * turn - 1), MIN_SCALE + (MAX_SCALE - MIN_SCALE) * grow
    large = TF.affine(
        TF.pad(digit, [18]), angle, [0, 0], scale, [0.0], TF.InterpolationMode.BILINEAR
    )
    rows, columns = (large[0] > 0).any(1).nonzero(), (large[0] > 0).any(0).nonzero()
    ink = large[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    top, left = int(down * SIDE), int(right * SIDE)
    ink = ink[:, : SIDE - top, : SIDE - left]
    canvas = torch.zeros(1, SIDE, SIDE)
    canvas[:, top : top + ink.shape[1], left : left + ink.shape[2]] = ink.clamp(0, 1)
    return canvas
