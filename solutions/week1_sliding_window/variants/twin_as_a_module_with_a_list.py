"""task: 1.4
does: a module that holds stages in a ModuleList; the side of the map from the inputs' square root
"""


class Twin(nn.Module):
    def __init__(self, stages: list[nn.Module]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)

    def forward(self, images: Tensor) -> Tensor:
        for stage in self.stages:
            images = stage(images)
        return images


def convolutionalize(net: nn.Sequential) -> nn.Module:
    stages, depth, flat = [], 0, False
    for layer in net.children():
        if isinstance(layer, nn.Linear):
            side = 1 if flat else round((layer.in_features / depth) ** 0.5)
            conv = nn.Conv2d(layer.in_features // side**2, layer.out_features, side)
            conv.weight = nn.Parameter(
                layer.weight.data.view(layer.out_features, -1, side, side),
                requires_grad=layer.weight.requires_grad,
            )
            conv.register_parameter("bias", layer.bias)
            stages.append(conv)
            flat = True
        elif not isinstance(layer, nn.Flatten):
            if isinstance(layer, nn.Conv2d):
                depth = layer.out_channels
            stages.append(layer)
    return Twin(stages)
