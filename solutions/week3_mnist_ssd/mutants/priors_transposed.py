"""task: 3.4
does: lets x come from the row and y from the column
hint: Which way does the column of a cell count: to the right or downwards? Look at cell (0, 1).
"""


def make_priors(
    feature_sizes: Sequence[int], scales: Sequence[float], ratios: Sequence[float]
) -> Tensor:
    maps = []
    for size, scale, following in zip(feature_sizes, scales, [*scales[1:], 1.0], strict=True):
        centres = (torch.arange(size) + 0.5) / size
        c_y, c_x = torch.meshgrid(centres, centres, indexing="ij")
        sides = [[scale * sqrt(ratio), scale / sqrt(ratio)] for ratio in ratios]
        sides = torch.tensor([*sides, [sqrt(scale * following)] * 2])
        cells = torch.stack([c_y, c_x], -1).reshape(-1, 1, 2).expand(-1, len(sides), 2)
        maps.append(torch.cat([cells, sides.expand_as(cells)], -1).reshape(-1, 4))
    return torch.cat(maps)
