"""task: 2.1
does: nearest pixels with `affine_grid` and `grid_sample`, then rolls the canvas into place
"""

from math import cos, radians, sin


def place_digit(digit: Tensor, generator: torch.Generator) -> Tensor:
    draw = torch.rand(4, generator=generator, dtype=torch.float64).tolist()
    angle = radians(-MAX_ANGLE + 2 * MAX_ANGLE * draw[3])
    zoom = 1 / (MIN_SCALE + (MAX_SCALE - MIN_SCALE) * draw[2])
    theta = torch.tensor([[cos(angle), -sin(angle), 0], [sin(angle), cos(angle), 0]]) * zoom
    field = F.affine_grid(theta[None], [1, 1, SIDE, SIDE], align_corners=False)
    centred = F.pad(digit, [18] * 4)[None]
    canvas = F.grid_sample(centred, field, mode="nearest", align_corners=False)[0]
    down, across = (canvas.amax(axis).flatten().nonzero().flatten() for axis in (2, 1))
    top, left = int(down[0]), int(across[0])
    free = SIDE - int(down[-1]) + top, SIDE - int(across[-1]) + left
    y, x = int(draw[0] * free[0]), int(draw[1] * free[1])
    return canvas.roll((y - top, x - left), (1, 2))
