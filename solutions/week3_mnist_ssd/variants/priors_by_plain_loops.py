"""task: 3.4
does: appends every prior to a list in four nested loops
"""


def make_priors(feature_sizes, scales, ratios):
    priors = []
    for k, size in enumerate(feature_sizes):
        after = scales[k + 1] if k + 1 < len(scales) else 1.0
        for i in range(size):
            for j in range(size):
                centre = [(j + 0.5) / size, (i + 0.5) / size]
                for ratio in ratios:
                    priors.append([*centre, scales[k] * ratio**0.5, scales[k] / ratio**0.5])
                priors.append([*centre, (scales[k] * after) ** 0.5, (scales[k] * after) ** 0.5])
    return torch.tensor(priors)
