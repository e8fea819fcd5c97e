"""task: 3.4
does: writes priors cell by cell and cuts their corners to the image
"""


def make_priors(feature_sizes, scales, ratios):
    rows = []
    for k in range(len(feature_sizes)):
        f, s = feature_sizes[k], scales[k]
        after = scales[k + 1] if k + 1 < len(scales) else 1.0
        for i in range(f):
            for j in range(f):
                sides = [(s * a**0.5, s / a**0.5) for a in ratios] + [((s * after) ** 0.5,) * 2]
                for w, h in sides:
                    x, y = (j + 0.5) / f, (i + 0.5) / f
                    rows.append([x - w / 2, y - h / 2, x + w / 2, y + h / 2])
    corners = torch.tensor(rows).clamp(0, 1)
    return torch.cat([(corners[:, 2:] + corners[:, :2]) / 2, corners[:, 2:] - corners[:, :2]], 1)
