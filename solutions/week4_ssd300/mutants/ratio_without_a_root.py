"""task: 4.7
does: multiplies by the ratio itself
hint: Your prior of ratio 2 is four times as wide as it is high. What is its width divided by its
height, in the statement's formulas?
"""


def make_priors() -> Tensor:
    maps = []
    following = (*SCALES[1:], 1.0)
    for size, scale, after, ratios in zip(FEATURE_SIZES, SCALES, following, RATIOS, strict=True):
        centres = (torch.arange(size) + 0.5) / size
        c_y, c_x = torch.meshgrid(centres, centres, indexing="ij")
        sides = [[scale * ratio, scale / ratio] for ratio in ratios]
        sides = torch.tensor([*sides, [sqrt(scale * after)] * 2])
        cells = torch.stack([c_x, c_y], -1).reshape(-1, 1, 2).expand(-1, len(sides), 2)
        maps.append(torch.cat([cells, sides.expand_as(cells)], -1).reshape(-1, 4))
    return torch.cat(maps)
