"""task: 4.7
does: computes centres from steps in pixels, as the paper's code does
hint: Some of your maps have their last centres on the edge of the image or outside. By what does
the statement divide?
"""


def make_priors() -> Tensor:
    maps = []
    steps = dict(zip(FEATURE_SIZES, (8, 16, 32, 64, 100, 300), strict=True))
    following = (*SCALES[1:], 1.0)
    for size, scale, after, ratios in zip(FEATURE_SIZES, SCALES, following, RATIOS, strict=True):
        centres = (torch.arange(size) + 0.5) * steps[size] / SIDE
        c_y, c_x = torch.meshgrid(centres, centres, indexing="ij")
        sides = [[scale * sqrt(ratio), scale / sqrt(ratio)] for ratio in ratios]
        sides = torch.tensor([*sides, [sqrt(scale * after)] * 2])
        cells = torch.stack([c_x, c_y], -1).reshape(-1, 1, 2).expand(-1, len(sides), 2)
        maps.append(torch.cat([cells, sides.expand_as(cells)], -1).reshape(-1, 4))
    return torch.cat(maps)
