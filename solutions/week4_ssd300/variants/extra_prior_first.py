"""task: 4.7
does: puts the extra square before the ratios, and rounds a third to 0.333
"""


def make_priors():
    maps = []
    for n, (size, ratios) in enumerate(zip(FEATURE_SIZES, RATIOS, strict=True)):
        scale, following = (*SCALES, 1.0)[n : n + 2]
        sides = [((scale * following) ** 0.5,) * 2]
        for ratio in ratios:
            root = round(ratio, 3) ** 0.5
            sides.append((scale * root, scale / root))
        centres = torch.arange(0.5, size) / size
        places = torch.cartesian_prod(centres, centres).fliplr()
        maps.append(
            torch.cat(
                [
                    places.repeat_interleave(len(sides), 0),
                    torch.tensor(sides).repeat(size * size, 1),
                ],
                1,
            )
        )
    return torch.cat(maps)
