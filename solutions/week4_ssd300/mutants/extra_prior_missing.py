"""task: 4.7
does: leaves out the extra square
hint: You have fewer than 8,732 priors. Which one of a cell is not in the list of ratios?
"""


def make_priors() -> Tensor:
    maps = []
    for size, scale, ratios in zip(FEATURE_SIZES, SCALES, RATIOS, strict=True):
        centres = (torch.arange(size) + 0.5) / size
        c_y, c_x = torch.meshgrid(centres, centres, indexing="ij")
        sides = [[scale * sqrt(ratio), scale / sqrt(ratio)] for ratio in ratios]
        sides = torch.tensor(sides)
        cells = torch.stack([c_x, c_y], -1).reshape(-1, 1, 2).expand(-1, len(sides), 2)
        maps.append(torch.cat([cells, sides.expand_as(cells)], -1).reshape(-1, 4))
    return torch.cat(maps)
