"""task: 2.1
does: turns and rescales, but leaves the digit in the middle of the canvas
hint: All your digits lie in the middle. Which of the three steps decides where the ink goes?
"""


def place_digit(digit: Tensor, generator: torch.Generator) -> Tensor:
    turn, grow = torch.rand(2, generator=generator).tolist()
    angle, scale = MAX_ANGLE * (2 * turn - 1), MIN_SCALE + (MAX_SCALE - MIN_SCALE) * grow
    canvas = TF.affine(
        TF.pad(digit, [18]), angle, [0, 0], scale, [0.0], TF.InterpolationMode.BILINEAR
    )
    return canvas.clamp(0, 1)
