"""task: 4.3
does: builds one ModuleList from a list of widths and letters, and watches for the tenth convolution
"""

PLAN = [64, 64, "M", 128, 128, "M", 256, 256, 256, "C", 512, 512, 512, "M", 512, 512, 512]


def decimate(values, steps):
    index = [slice(0, size, step or 1) for size, step in zip(values.shape, steps, strict=True)]
    return values[tuple(index)].clone()


class VGGBase(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.ModuleList()
        before = 3
        for entry in PLAN:
            if isinstance(entry, str):
                self.features.append(nn.MaxPool2d(2, ceil_mode=entry == "C"))
            else:
                self.features.append(nn.Conv2d(before, entry, 3, padding=1))
                self.features.append(nn.ReLU())
                before = entry
        self.tail = nn.ModuleList(
            [
                nn.MaxPool2d(3, stride=1, padding=1),
                nn.Conv2d(512, 1024, kernel_size=3, padding=6, dilation=6),
                nn.ReLU(),
                nn.Conv2d(1024, 1024, kernel_size=1),
                nn.ReLU(),
            ]
        )
        give_fresh_weights(self)

    def forward(self, images):
        x, seen = images, 0
        for layer in self.features:
            x = layer(x)
            seen += isinstance(layer, nn.ReLU)
            if seen == 10 and isinstance(layer, nn.ReLU):
                conv4_3 = x
        for layer in self.tail:
            x = layer(x)
        return conv4_3, x


def load_vgg16(base, state):
    layers = [layer for layer in base.features if isinstance(layer, nn.Conv2d)]
    places = [n for n in range(31) if f"features.{n}.weight" in state]
    for layer, n in zip(layers, places, strict=True):
        layer.weight.data = state[f"features.{n}.weight"].clone()
        layer.bias.data = state[f"features.{n}.bias"].clone()
    if any(name.startswith("classifier.") for name in state):
        sixth, seventh = base.tail[1], base.tail[3]
        weight = state["classifier.0.weight"].view(4096, 512, 7, 7)
        sixth.weight.data = decimate(weight, (4, None, 3, 3))
        sixth.bias.data = decimate(state["classifier.0.bias"], (4,))
        weight = state["classifier.3.weight"].view(4096, 4096, 1, 1)
        seventh.weight.data = decimate(weight, (4, 4, None, None))
        seventh.bias.data = decimate(state["classifier.3.bias"], (4,))
