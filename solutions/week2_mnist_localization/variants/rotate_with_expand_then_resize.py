"""task: 2.1
does: turns with `expand=True`, rescales with `TF.resize`, draws places with `torch.randint`
"""


def place_digit(digit: Tensor, generator: torch.Generator) -> Tensor:
    angle = torch.empty(1).uniform_(-MAX_ANGLE, MAX_ANGLE, generator=generator).item()
    scale = torch.empty(1).uniform_(MIN_SCALE, MAX_SCALE, generator=generator).item()
    turned = TF.rotate(digit, angle, interpolation=TF.InterpolationMode.BILINEAR, expand=True)
    side = round(turned.shape[-1] * scale)
    patch = TF.resize(turned, [side, side], antialias=True).clamp(0, 1)[0]
    places = torch.nonzero(patch)
    (top, left), (bottom, right) = places.amin(0).tolist(), (places.amax(0) + 1).tolist()
    ink = patch[top:bottom, left:right]
    y = torch.randint(SIDE - ink.shape[0] + 1, (1,), generator=generator).item()
    x = torch.randint(SIDE - ink.shape[1] + 1, (1,), generator=generator).item()
    margins = [x, y, SIDE - x - ink.shape[1], SIDE - y - ink.shape[0]]
    return TF.pad(ink[None], margins)
