"""task: 4.6
does: keeps its weights and images in channels_last, and divides by `linalg.vector_norm`
"""


class Rescale(nn.Module):
    def __init__(self, channels: int = 512, factor: float = 20.0) -> None:
        super().__init__()
        self.scale = nn.Parameter(factor * torch.ones(1, channels, 1, 1))

    def forward(self, features):
        length = torch.linalg.vector_norm(features, dim=1, keepdim=True) + 1e-10
        return features / length * self.scale


class SSD300(nn.Module):
    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.parts = nn.ModuleList(
            [VGGBase(), Rescale(512), AuxiliaryConvolutions(), PredictionConvolutions(num_classes)]
        )
        self.to(memory_format=torch.channels_last)

    def forward(self, images):
        base, rescale, auxiliary, prediction = self.parts
        conv4_3, conv7 = base(images.contiguous(memory_format=torch.channels_last))
        others = list(auxiliary(conv7))
        return prediction([rescale(conv4_3), conv7, *others])
