"""task: 3.5
does: has strided convolutions, named heads, other channels, and priors in a plain attribute
"""


class BaseConvolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 24, 5, stride=2, padding=2)
        self.b1 = nn.BatchNorm2d(24)
        self.c2 = nn.Conv2d(24, 40, 3, padding=1)
        self.b2 = nn.BatchNorm2d(40)
        self.c3 = nn.Conv2d(40, 56, 3, stride=2, padding=1)
        self.b3 = nn.BatchNorm2d(56)

    def forward(self, x):
        x = F.relu(self.b1(self.c1(x)))
        first = F.relu(self.b2(self.c2(x)))
        return [first, F.relu(self.b3(self.c3(first)))]


class AuxiliaryConvolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.squeeze = nn.Conv2d(56, 28, kernel_size=1)
        self.down = nn.Conv2d(28, 48, kernel_size=3, stride=2, padding=1)

    def forward(self, x):
        return [F.leaky_relu(self.down(F.leaky_relu(self.squeeze(x), 0.1)), 0.1)]


class PredictionConvolutions(nn.Module):
    def __init__(self, channels, priors_per_cell, num_classes):
        super().__init__()
        self.n = num_classes
        for k, (c, p) in enumerate(zip(channels, priors_per_cell, strict=False)):
            setattr(self, f"loc{k}", nn.Conv2d(c, p * 4, kernel_size=3, padding=1))
            setattr(self, f"conf{k}", nn.Conv2d(c, p * num_classes, kernel_size=3, padding=1))

    def forward(self, features):
        offsets, logits = [], []
        for k, x in enumerate(features):
            loc = getattr(self, f"loc{k}")(x).movedim(1, -1).contiguous()
            conf = getattr(self, f"conf{k}")(x).movedim(1, -1).contiguous()
            offsets.append(loc.view(x.size(0), -1, 4))
            logits.append(conf.view(x.size(0), -1, self.n))
        return torch.cat(offsets, dim=1), torch.cat(logits, dim=1)


class SSD(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.base, self.aux = BaseConvolutions(), AuxiliaryConvolutions()
        self.heads = PredictionConvolutions((40, 56, 48), (4, 4, 4), num_classes)
        self.priors = make_priors(FEATURE_SIZES, SCALES, RATIOS)

    def forward(self, images):
        features = self.base(images)
        features += self.aux(features[1])
        offsets, logits = self.heads(features)
        return offsets, logits, tuple(features)
