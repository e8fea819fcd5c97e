"""task: 4.7
does: writes priors one by one and cuts their corners to the image
"""


def make_priors():
    rows = []
    for k in range(len(FEATURE_SIZES)):
        f, s = FEATURE_SIZES[k], SCALES[k]
        after = SCALES[k + 1] if k + 1 < len(SCALES) else 1.0
        sides = [(s * a**0.5, s / a**0.5) for a in RATIOS[k]] + [((s * after) ** 0.5,) * 2]
        for cell in range(f * f):
            y, x = (cell // f + 0.5) / f, (cell % f + 0.5) / f
            for w, h in sides:
                rows.append([x - w / 2, y - h / 2, x + w / 2, y + h / 2])
    corners = torch.tensor(rows).clamp(0, 1)
    return torch.cat([(corners[:, 2:] + corners[:, :2]) / 2, corners[:, 2:] - corners[:, :2]], 1)
