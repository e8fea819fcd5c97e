"""task: 4.6
does: adds a tiny number before the root, and runs the parts in another order
"""


class Rescale(nn.Module):
    def __init__(self, channels=512, factor=20.0):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))
        nn.init.constant_(self.weight, factor)

    def forward(self, features):
        length = features.pow(2).sum(1, keepdim=True).add(1e-10).sqrt()
        return self.weight.view(1, -1, 1, 1) * (features / length)


class SSD300(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.heads = PredictionConvolutions(num_classes)
        self.extras = AuxiliaryConvolutions()
        self.norm = Rescale()
        self.vgg = VGGBase()
        self.num_classes = num_classes

    def forward(self, images):
        first, second = self.vgg(images)
        maps = [second]
        maps.extend(self.extras(second))
        maps.insert(0, self.norm(first))
        offsets, logits = self.heads(maps)
        return offsets.view(-1, 8732, 4), logits.view(-1, 8732, self.num_classes)
