"""task: 3.4
does: lays the maps out from the last to the first
hint: Which feature map comes first in the network's answers?
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
        cells = torch.stack([c_x, c_y], -1).reshape(-1, 1, 2).expand(-1, len(sides), 2)
        maps.append(torch.cat([cells, sides.expand_as(cells)], -1).reshape(-1, 4))
    return torch.cat(maps[::-1])
