"""task: 4.7
does: spaces the scales evenly from 0.2 to 0.9
hint: Your scales follow the paper's formula, its SSD300 has others. Which are given in the setup
cell?
"""


def make_priors() -> Tensor:
    maps = []
    scales = [0.2 + 0.7 * n / 5 for n in range(6)]
    following = (*scales[1:], 1.0)
    for size, scale, after, ratios in zip(FEATURE_SIZES, scales, following, RATIOS, strict=True):
        centres = (torch.arange(size) + 0.5) / size
        c_y, c_x = torch.meshgrid(centres, centres, indexing="ij")
        sides = [[scale * sqrt(ratio), scale / sqrt(ratio)] for ratio in ratios]
        sides = torch.tensor([*sides, [sqrt(scale * after)] * 2])
        cells = torch.stack([c_x, c_y], -1).reshape(-1, 1, 2).expand(-1, len(sides), 2)
        maps.append(torch.cat([cells, sides.expand_as(cells)], -1).reshape(-1, 4))
    return torch.cat(maps)
