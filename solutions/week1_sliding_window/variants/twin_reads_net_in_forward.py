"""task: 1.4
does: a module that holds the layers of `net` and views their weights in each forward pass
"""

from torch.nn import functional


class Twin(nn.Module):
    """Run a classifier on images of any size."""

    def __init__(self, net: nn.Sequential):
        super().__init__()
        self.layers = nn.ModuleList(layer for layer in net if not isinstance(layer, nn.Flatten))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                side = isqrt(layer.in_features // x.shape[1])
                kernel = layer.weight.view(layer.out_features, x.shape[1], side, side)
                x = functional.conv2d(x, kernel, layer.bias)
            else:
                x = layer(x)
        return x


def convolutionalize(net: nn.Sequential) -> nn.Module:
    return Twin(net)
