"""task: 4.3
does: each block a module of its own, pooling by functions, weights copied by load_state_dict
"""


class Block(nn.Module):
    def __init__(self, channels, width, count):
        super().__init__()
        inputs = [channels] + [width] * (count - 1)
        self.layers = nn.ModuleList(nn.Conv2d(c, width, 3, padding=1) for c in inputs)

    def forward(self, features):
        for layer in self.layers:
            features = torch.relu(layer(features))
        return features


def decimate(values, steps):
    for axis, step in enumerate(steps):
        if step is not None:
            kept = torch.arange(0, values.shape[axis], step)
            values = values.index_select(axis, kept)
    return values


class VGGBase(nn.Module):
    def __init__(self):
        super().__init__()
        self.block1 = Block(3, 64, 2)
        self.block2 = Block(64, 128, 2)
        self.block3 = Block(128, 256, 3)
        self.block4 = Block(256, 512, 3)
        self.block5 = Block(512, 512, 3)
        self.conv6 = nn.Conv2d(512, 1024, 3, padding=6, dilation=6)
        self.conv7 = nn.Conv2d(1024, 1024, 1)
        self.apply(self.begin)

    @staticmethod
    def begin(module):
        if isinstance(module, nn.Conv2d):
            nn.init.xavier_uniform_(module.weight)
            nn.init.constant_(module.bias, 0.0)

    def forward(self, images):
        features = F.max_pool2d(self.block1(images), 2)
        features = F.max_pool2d(self.block2(features), 2)
        features = F.max_pool2d(self.block3(features), 2, ceil_mode=True)
        conv4_3 = self.block4(features)
        features = self.block5(F.max_pool2d(conv4_3, kernel_size=2, stride=2))
        features = F.max_pool2d(features, kernel_size=3, stride=1, padding=1)
        return conv4_3, self.conv7(self.conv6(features).relu()).relu()


def load_vgg16(base, state):
    numbers = iter((0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28))
    for block in (base.block1, base.block2, base.block3, base.block4, base.block5):
        for layer in block.layers:
            n = next(numbers)
            parts = {part: state[f"features.{n}.{part}"] for part in ("weight", "bias")}
            layer.load_state_dict(parts)
    if "classifier.0.weight" not in state:
        return
    sixth = decimate(state["classifier.0.weight"].reshape(4096, 512, 7, 7), [4, None, 3, 3])
    seventh = decimate(state["classifier.3.weight"].reshape(4096, 4096, 1, 1), [4, 4, None, None])
    for layer, weight, name in ((base.conv6, sixth, "0"), (base.conv7, seventh, "3")):
        bias = decimate(state[f"classifier.{name}.bias"], [4])
        layer.load_state_dict({"weight": weight, "bias": bias})
