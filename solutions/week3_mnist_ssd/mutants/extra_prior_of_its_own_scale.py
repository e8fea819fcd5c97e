"""task: 3.4
does: gives the extra prior the scale of its own map
hint: Which two scales make the side of the extra prior?
"""


def make_priors(
    feature_sizes: Sequence[int], scales: Sequence[float], ratios: Sequence[float]
) -> Tensor:
    maps = []
    for size, scale, _following in zip(feature_sizes, scales, [*scales[1:], 1.0], strict=True):
        centres = (torch.arange(size) + 0.5) / size
        c_y, c_x = torch.meshgrid(centres, centres, indexing="ij")
        sides = [[scale * sqrt(ratio), scale / sqrt(ratio)] for ratio in ratios]
        sides = torch.tensor([*sides, [scale] * 2])
        cells = torch.stack([c_x, c_y], -1).reshape(-1, 1, 2).expand(-1, len(sides), 2)
        maps.append(torch.cat([cells, sides.expand_as(cells)], -1).reshape(-1, 4))
    return torch.cat(maps)
