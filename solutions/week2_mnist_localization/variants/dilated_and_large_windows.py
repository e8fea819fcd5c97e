"""task: 2.2
does: windows of 60 pixels by a dilated convolution, overlapping pooling; the count measured
"""


class LocalizationNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.ModuleDict(
            {
                "first": nn.Conv2d(1, 8, (3, 3)),
                "second": nn.Conv2d(8, 16, 3, bias=False),
                "norm": nn.BatchNorm2d(16, affine=False),
                "wide": nn.Conv2d(16, 32, 7, dilation=4),
                "last": nn.Conv2d(32, 15, 1),
            }
        )

    def forward(self, images: Tensor) -> Tensor:
        x = F.max_pool2d(torch.tanh(self.net["first"](images)), kernel_size=3, stride=2)
        x = torch.relu(self.net["norm"](self.net["second"](x)))
        return self.net["last"](torch.relu(self.net["wide"](x)))


@torch.no_grad()
def localization_grid(input_size: tuple[int, int]) -> WindowGrid:
    output = LocalizationNet().eval()(torch.zeros(1, 1, *input_size))
    return WindowGrid(5 + 4 + 48, 2, tuple(output.shape[-2:]))
