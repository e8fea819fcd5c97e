"""task: 4.7
does: gives the extra square the map's own scale
hint: Two priors in each of your cells are the same square. Which scales meet in the extra one?
"""


def make_priors() -> Tensor:
    maps = []
    for size, scale, ratios in zip(FEATURE_SIZES, SCALES, RATIOS, strict=True):
        centres = (torch.arange(size) + 0.5) / size
        c_y, c_x = torch.meshgrid(centres, centres, indexing="ij")
        sides = [[scale * sqrt(ratio), scale / sqrt(ratio)] for ratio in ratios]
        sides = torch.tensor([*sides, [scale] * 2])
        cells = torch.stack([c_x, c_y], -1).reshape(-1, 1, 2).expand(-1, len(sides), 2)
        maps.append(torch.cat([cells, sides.expand_as(cells)], -1).reshape(-1, 4))
    return torch.cat(maps)
