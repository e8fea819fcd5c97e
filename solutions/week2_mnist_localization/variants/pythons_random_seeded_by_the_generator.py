"""task: 2.1
does: draws one seed from the generator, and all else from Python's `random.Random` of that seed
"""

import random


def place_digit(digit: Tensor, generator: torch.Generator) -> Tensor:
    chance = random.Random(int(torch.randint(2**40, (1,), generator=generator)))
    large = TF.affine(
        F.pad(digit, [20] * 4),
        angle=chance.uniform(-30, 30),
        translate=[0, 0],
        scale=chance.uniform(0.75, 1.25),
        shear=[0.0, 0.0],
        interpolation=TF.InterpolationMode.BILINEAR,
    )
    ys, xs = torch.where(large[0] > 0)
    ink = large[0, ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    y, x = (chance.randint(0, SIDE - side) for side in ink.shape)
    canvas = torch.zeros(SIDE, SIDE)
    canvas[y : y + ink.shape[0], x : x + ink.shape[1]] = torch.clamp(ink, max=1)
    return canvas.unsqueeze(0)
