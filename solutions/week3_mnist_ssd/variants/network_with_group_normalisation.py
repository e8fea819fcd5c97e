"""task: 3.5
does: GroupNorm and residual sums in the base, a shared tower before each pair of heads
"""


def tower(channels_in, channels_out, stride=1):
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, stride, 1),
        nn.GroupNorm(4, channels_out),
        nn.ReLU(),
    )


class BaseConvolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = tower(1, 32, stride=2)
        self.more = tower(32, 32)
        self.down = tower(32, 64, stride=2)
        self.last = tower(64, 64)

    def forward(self, images):
        first = self.stem(images)
        first = first + self.more(first)
        second = self.down(first)
        return [first, second + self.last(second)]


class AuxiliaryConvolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Sequential(nn.Conv2d(64, 32, 1), nn.GroupNorm(4, 32), nn.ReLU())
        self.two = tower(32, 64, stride=2)

    def forward(self, features):
        return [self.two(self.one(features))]


class PredictionConvolutions(nn.Module):
    def __init__(self, channels, priors_per_cell, num_classes):
        super().__init__()
        self.classes = num_classes
        self.heads = nn.ModuleList()
        for c, k in zip(channels, priors_per_cell, strict=True):
            pair = [nn.Conv2d(c, k * n, 3, padding=1) for n in (4, num_classes)]
            self.heads.append(nn.ModuleList(pair))

    def forward(self, features):
        answers = ([], [])
        for pair, x in zip(self.heads, features, strict=True):
            for head, rows, numbers in zip(pair, answers, (4, self.classes), strict=True):
                rows.append(head(x).flatten(2).mT.reshape(x.shape[0], -1, numbers))
        return tuple(torch.cat(rows, 1) for rows in answers)


class SSD(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.parts = nn.ModuleDict(
            {"base": BaseConvolutions(), "auxiliary": AuxiliaryConvolutions()}
        )
        self.predict = PredictionConvolutions((32, 64, 64), (4, 4, 4), num_classes)
        self.register_buffer("priors", make_priors(FEATURE_SIZES, SCALES, RATIOS), False)

    def forward(self, images):
        features = self.parts["base"](images)
        features = [*features, *self.parts["auxiliary"](features[-1])]
        return (*self.predict(features), features)
