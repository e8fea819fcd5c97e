"""task: 5.2
does: computes in numpy, in float64, and converts in the end
"""

import numpy as np


def make_anchors(grids=GRIDS, zooms=ZOOMS, ratios=RATIOS):
    shapes = np.array([(z * a, z * b) for z in zooms for a, b in ratios])
    anchors, cells = [], []
    for g in grids:
        ticks = np.linspace(1 / (2 * g), 1 - 1 / (2 * g), g)
        centres = np.stack([np.tile(ticks, g), np.repeat(ticks, g)], 1)
        rows = np.repeat(centres, len(shapes), 0)
        anchors.append(np.concatenate([rows, np.tile(shapes / g, (g * g, 1))], 1))
        cells.append(np.full(len(rows), 1 / g))
    return tuple(
        torch.from_numpy(np.concatenate(part).astype(np.float32)) for part in (anchors, cells)
    )
