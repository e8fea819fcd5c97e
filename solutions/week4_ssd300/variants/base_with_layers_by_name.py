"""task: 4.3
does: thirteen attributes made by setattr, one shared pooling, decimation by strides of views
"""

WIDTHS = {1: (3, 64, 64), 2: (64, 128, 128), 3: (128, 256, 256, 256)}
WIDTHS |= {4: (256, 512, 512, 512), 5: (512, 512, 512, 512)}
NUMBERS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)


def decimate(values, steps):
    for axis, step in enumerate(steps):
        if step:
            values = values.unfold(axis, 1, step).squeeze(-1)
    return values.contiguous()


class VGGBase(nn.Module):
    def __init__(self):
        super().__init__()
        for block, widths in WIDTHS.items():
            for n in range(1, len(widths)):
                layer = nn.Conv2d(widths[n - 1], widths[n], 3, 1, 1)
                setattr(self, f"conv{block}_{n}", layer)
        self.conv6 = nn.Conv2d(512, 1024, 3, 1, 6, 6)
        self.conv7 = nn.Conv2d(1024, 1024, 1)
        self.halve = nn.MaxPool2d(2, 2)
        give_fresh_weights(self)

    def forward(self, images):
        x = images
        for block, widths in WIDTHS.items():
            for n in range(1, len(widths)):
                x = F.relu(getattr(self, f"conv{block}_{n}")(x))
            if block == 4:
                conv4_3 = x
            if block == 3:
                x = F.max_pool2d(x, 2, 2, ceil_mode=True)
            elif block < 5:
                x = self.halve(x)
        x = F.max_pool2d(x, 3, 1, 1)
        x = F.relu(self.conv6(x))
        return conv4_3, F.relu(self.conv7(x))


@torch.no_grad()
def load_vgg16(base, state):
    names = [f"conv{block}_{n}" for block, w in WIDTHS.items() for n in range(1, len(w))]
    own = dict(base.named_parameters())
    for name, number in zip(names, NUMBERS, strict=True):
        for part in ("weight", "bias"):
            own[f"{name}.{part}"].copy_(state[f"features.{number}.{part}"])
    if "classifier.3.weight" in state:
        first, second = state["classifier.0.weight"], state["classifier.3.weight"]
        own["conv6.weight"].copy_(decimate(first.unflatten(1, (512, 7, 7)), (4, None, 3, 3)))
        own["conv7.weight"].copy_(decimate(second, (4, 4))[:, :, None, None])
        for name, number in (("conv6", 0), ("conv7", 3)):
            own[f"{name}.bias"].copy_(decimate(state[f"classifier.{number}.bias"], (4,)))
