"""task: 4.7
does: returns corners
hint: In which form does the statement want priors? Look at the third number of the first one.
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
        maps.append(torch.cat([cells, sides.expand_as(cells)], -1).reshape(-1, 4))
    return ops.box_convert(torch.cat(maps), "cxcywh", "xyxy")
