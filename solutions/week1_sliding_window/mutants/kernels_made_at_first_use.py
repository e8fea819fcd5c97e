"""task: 1.4
does: turns the linear weights into kernels at the first forward pass and keeps these copies
hint: Your twin follows `net` until it has been called once, and then no more. What does it
remember from its first call?
"""


class Twin(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.layers = nn.ModuleList(net)
        self.kernels = {}

    def forward(self, x):
        for index, layer in enumerate(self.layers):
            if isinstance(layer, nn.Linear):
                if index not in self.kernels:
                    side = isqrt(layer.in_features // x.shape[1])
                    kernel = layer.weight.detach().reshape(-1, x.shape[1], side, side)
                    self.kernels[index] = kernel.clone()
                x = nn.functional.conv2d(x, self.kernels[index], layer.bias)
            elif not isinstance(layer, nn.Flatten):
                x = layer(x)
        return x


def convolutionalize(net: nn.Sequential) -> nn.Module:
    return Twin(net)
