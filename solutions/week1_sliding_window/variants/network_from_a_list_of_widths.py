"""task: 1.2
does: builds the layers in a loop over their widths, with in-place ReLUs and the pool's stride named
"""


def build_network() -> nn.Module:
    layers = [nn.Conv2d(3, 16, (5, 5), stride=(1, 1), padding=0), nn.ReLU(inplace=True)]
    layers += [nn.MaxPool2d(kernel_size=2, stride=2), nn.Flatten(start_dim=1)]
    widths = [16 * 5 * 5, 400, 400, CLASSES]
    for n in range(3):
        layers.append(nn.Linear(widths[n], widths[n + 1]))
        if n < 2:
            layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)
