"""task: 4.7
does: goes through all cells for the first ratio, then for the second
hint: Where does your second prior lie: in the first cell, or in the one beside it?
"""


def make_priors() -> Tensor:
    maps = []
    following = (*SCALES[1:], 1.0)
    for size, scale, after, ratios in zip(FEATURE_SIZES, SCALES, following, RATIOS, strict=True):
        centres = (torch.arange(size) + 0.5) / size
        c_y, c_x = torch.meshgrid(centres, centres, indexing="ij")
        sides = [[scale * sqrt(ratio), scale / sqrt(ratio)] for ratio in ratios]
        sides = torch.tensor([*sides, [sqrt(scale * after)] * 2])
        cells = torch.stack([c_x, c_y], -1).reshape(-1, 1, 2).expand(-1, len(sides), 2)
        maps.append(torch.cat([cells, sides.expand_as(cells)], -1).transpose(0, 1).reshape(-1, 4))
    return torch.cat(maps)
