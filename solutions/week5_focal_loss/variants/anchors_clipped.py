"""task: 5.2
does: cuts anchors to the image
"""


def make_anchors(grids=GRIDS, zooms=ZOOMS, ratios=RATIOS):
    rows, sides = [], []
    for g in grids:
        for cell in range(g * g):
            i, j = divmod(cell, g)
            for z in zooms:
                rows += [[(j + 0.5) / g, (i + 0.5) / g, z * a / g, z * b / g] for a, b in ratios]
                sides += [1 / g] * len(ratios)
    corners = ops.box_convert(torch.tensor(rows), "cxcywh", "xyxy").clamp(0, 1)
    return ops.box_convert(corners, "xyxy", "cxcywh"), torch.tensor(sides)
