"""task: 4.6
does: the length by linalg with a small number under the root's square, factors as (1, C, 1, 1)
"""


class Rescale(nn.Module):
    def __init__(self, channels=512, factor=20.0):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(1, channels, 1, 1) * factor)

    def forward(self, features):
        length = torch.sqrt((features * features).sum(dim=1, keepdim=True) + 1e-12)
        return features.div(length).mul(self.gamma)


class SSD300(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.vgg = VGGBase()
        self.norm = Rescale(512, 20.0)
        self.extras = AuxiliaryConvolutions()
        self.heads = PredictionConvolutions(num_classes)

    def features(self, images):
        early, late = self.vgg(images)
        return [self.norm(early), late, *self.extras(late)]

    def forward(self, images):
        offsets, logits = self.heads(self.features(images))
        return offsets, logits
