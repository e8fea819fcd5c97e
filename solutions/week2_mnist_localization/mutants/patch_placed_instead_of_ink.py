"""task: 2.1
does: places the patch with its empty border uniformly, not the ink
hint: Your digits keep away from the borders of the canvas. What of the patch has to lie on it: all
its pixels, or the ones with ink?
"""


def place_digit(digit: Tensor, generator: torch.Generator) -> Tensor:
    turn, grow, down, right = torch.rand(4, generator=generator).tolist()
    angle, scale = MAX_ANGLE * (2 * turn - 1), MIN_SCALE + (MAX_SCALE - MIN_SCALE) * grow
    patch = TF.affine(
        TF.pad(digit, [10]), angle, [0, 0], scale, [0.0], TF.InterpolationMode.BILINEAR
    )
    height, width = patch.shape[1:]
    top, left = int(down * (SIDE - height + 1)), int(right * (SIDE - width + 1))
    canvas = torch.zeros(1, SIDE, SIDE)
    canvas[:, top : top + height, left : left + width] = patch.clamp(0, 1)
    return canvas
