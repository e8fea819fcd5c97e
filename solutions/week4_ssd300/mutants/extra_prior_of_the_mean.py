"""task: 4.7
does: gives the extra square the side between the two scales
hint: Your extra priors are a little too large. Which mean of two numbers is a root of a product?
"""


def make_priors() -> Tensor:
    maps = []
    following = (*SCALES[1:], 1.0)
    for size, scale, after, ratios in zip(FEATURE_SIZES, SCALES, following, RATIOS, strict=True):
        centres = (torch.arange(size) + 0.5) / size
        c_y, c_x = torch.meshgrid(centres, centres, indexing="ij")
        sides = [[scale * sqrt(ratio), scale / sqrt(ratio)] for ratio in ratios]
        sides = torch.tensor([*sides, [(scale + after) / 2] * 2])
        cells = torch.stack([c_x, c_y], -1).reshape(-1, 1, 2).expand(-1, len(sides), 2)
        maps.append(torch.cat([cells, sides.expand_as(cells)], -1).reshape(-1, 4))
    return torch.cat(maps)
