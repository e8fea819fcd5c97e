"""task: 3.5
does: depthwise and pointwise convolutions, hard swish, average pooling, one head layer a map split
"""


def separable(a, b):
    return nn.Sequential(
        nn.Conv2d(a, a, 3, padding=1, groups=a, bias=False),
        nn.Conv2d(a, b, 1, bias=False),
        nn.BatchNorm2d(b),
        nn.Hardswish(),
    )


class BaseConvolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.start = conv(1, 32, padding=1)
        self.first = nn.Sequential(separable(32, 32), nn.AvgPool2d(2), separable(32, 64))
        self.second = nn.Sequential(nn.AvgPool2d(2), separable(64, 96), separable(96, 96))

    def forward(self, images):
        first = self.first(self.start(images))
        return [first, self.second(first)]


class AuxiliaryConvolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.reduce = conv(96, 48, 1)
        self.grow = conv(48, 96, 3, stride=2, padding=1)

    def forward(self, features):
        return [self.grow(self.reduce(features))]


class PredictionConvolutions(nn.Module):
    def __init__(self, channels, priors_per_cell, num_classes):
        super().__init__()
        self.num_classes = num_classes
        self.boxes = nn.ModuleList()
        self.classes = nn.ModuleList()
        for count, priors in zip(channels, priors_per_cell, strict=True):
            self.boxes.append(nn.Conv2d(count, 4 * priors, (3, 3), padding="same"))
            self.classes.append(nn.Conv2d(count, num_classes * priors, (3, 3), padding="same"))

    def rows(self, answers, numbers):
        return [one.movedim(1, 3).flatten(1).unflatten(1, (-1, numbers)) for one in answers]

    def forward(self, features):
        offsets = [head(x) for head, x in zip(self.boxes, features, strict=True)]
        logits = [head(x) for head, x in zip(self.classes, features, strict=True)]
        return torch.cat(self.rows(offsets, 4), 1), torch.cat(
            self.rows(logits, self.num_classes), 1
        )


class SSD(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.base = BaseConvolutions()
        self.auxiliary = AuxiliaryConvolutions()
        self.prediction = PredictionConvolutions([64, 96, 96], [len(RATIOS) + 1] * 3, num_classes)

    @property
    def priors(self):
        return make_priors(FEATURE_SIZES, SCALES, RATIOS)

    def forward(self, images):
        features = self.base(images)
        features.extend(self.auxiliary(features[-1]))
        offsets, logits = self.prediction(features)
        return offsets, logits, features
