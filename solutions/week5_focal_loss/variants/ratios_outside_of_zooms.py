"""task: 5.2
does: lists in a cell ratio by ratio, for each all zooms
"""


def make_anchors(grids=GRIDS, zooms=ZOOMS, ratios=RATIOS):
    shapes = torch.tensor(ratios).unsqueeze(1) * torch.tensor(zooms).view(1, -1, 1)
    shapes = shapes.reshape(-1, 2)
    anchors, cells = [], []
    for g in grids:
        ticks = torch.arange(0.5, g) / g
        y, x = torch.meshgrid(ticks, ticks, indexing="ij")
        centres = torch.stack([x, y], 2).reshape(g * g, 1, 2).repeat(1, len(shapes), 1)
        anchors.append(torch.cat([centres, (shapes / g).repeat(g * g, 1, 1)], 2).reshape(-1, 4))
        cells += [1 / g] * (g * g * len(shapes))
    return torch.cat(anchors), torch.tensor(cells)
