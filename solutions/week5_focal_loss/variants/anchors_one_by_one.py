"""task: 5.2
does: appends anchor by anchor in loops
"""


def make_anchors(grids=GRIDS, zooms=ZOOMS, ratios=RATIOS):
    rows, sides = [], []
    for grid in grids:
        for i in range(grid):
            for j in range(grid):
                for zoom in zooms:
                    for a, b in ratios:
                        rows.append(
                            [(j + 0.5) / grid, (i + 0.5) / grid, zoom * a / grid, zoom * b / grid]
                        )
                        sides.append(1 / grid)
    return torch.tensor(rows), torch.tensor(sides)
