"""task: 3.5
does: has twice as many layers of twice as many channels, GroupNorm here and nothing there
"""


def block(a, b, **options):
    return nn.Sequential(nn.Conv2d(a, b, 3, padding=1, **options), nn.GroupNorm(8, b), nn.SiLU())


class BaseConvolutions(nn.Module):
    def __init__(self):
        super().__init__()
        layers = [block(1, 64), block(64, 64), block(64, 64), block(64, 64), nn.AvgPool2d(2)]
        self.a = nn.Sequential(*layers, block(64, 96), block(96, 96), block(96, 96))
        self.b = nn.Sequential(block(96, 128, stride=2), block(128, 128), block(128, 128))

    def forward(self, images):
        a = self.a(images)
        return a, self.b(a)


class AuxiliaryConvolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(128, 64, 1),
            nn.ReLU(),
            nn.Dropout(0.1),
            nn.Conv2d(64, 128, 3, 2, 1),
            nn.ReLU(),
        )

    def forward(self, features):
        return (self.net(features),)


class PredictionConvolutions(nn.Module):
    def __init__(self, channels, priors_per_cell, num_classes):
        super().__init__()
        self.classes = num_classes
        self.heads = nn.ModuleDict()
        for i, (c, k) in enumerate(zip(channels, priors_per_cell, strict=True)):
            self.heads[f"{i}_boxes"] = nn.Conv2d(c, 4 * k, 3, 1, 1)
            self.heads[f"{i}_classes"] = nn.Conv2d(c, num_classes * k, 3, 1, 1)

    def forward(self, features):
        found = {"boxes": [], "classes": []}
        for i, x in enumerate(features):
            for name, size in (("boxes", 4), ("classes", self.classes)):
                y = torch.einsum("nchw->nhwc", self.heads[f"{i}_{name}"](x))
                found[name].append(y.flatten(1).unflatten(1, (-1, size)))
        return torch.cat(found["boxes"], 1), torch.cat(found["classes"], 1)


class SSD(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.base, self.more = BaseConvolutions(), AuxiliaryConvolutions()
        self.heads = PredictionConvolutions([96, 128, 128], [4, 4, 4], num_classes)
        self.priors = nn.Parameter(make_priors([16, 8, 4], SCALES, RATIOS), requires_grad=False)

    def forward(self, images):
        a, b = self.base(images)
        features = [a, b, *self.more(b)]
        return *self.heads(features), features
