"""task: 4.7
does: gives maps of four priors the ratios 1, 3 and 1/3
hint: Your maps of six priors are right. Which ratios have those of four?
"""


def make_priors() -> Tensor:
    maps = []
    following = (*SCALES[1:], 1.0)
    for size, scale, after, ratios in zip(FEATURE_SIZES, SCALES, following, RATIOS, strict=True):
        centres = (torch.arange(size) + 0.5) / size
        c_y, c_x = torch.meshgrid(centres, centres, indexing="ij")
        sides = [
            [scale * sqrt(ratio), scale / sqrt(ratio)]
            for ratio in (ratios if len(ratios) == 5 else (1.0, 3.0, 1 / 3))
        ]
        sides = torch.tensor([*sides, [sqrt(scale * after)] * 2])
        cells = torch.stack([c_x, c_y], -1).reshape(-1, 1, 2).expand(-1, len(sides), 2)
        maps.append(torch.cat([cells, sides.expand_as(cells)], -1).reshape(-1, 4))
    return torch.cat(maps)
