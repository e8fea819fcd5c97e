"""task: 4.3
does: keeps the last layers first, runs VGG by torchvision's numbers, and loads by name
"""

PLAN = [64, 64, "M", 128, 128, "M", 256, 256, 256, "C", 512, 512, 512, "M", 512, 512, 512]


def decimate(values, steps):
    for axis, m in enumerate(steps):
        if m is not None:
            values = values.index_select(axis, torch.arange(0, values.shape[axis], m))
    return values


class VGGBase(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc7 = nn.Conv2d(1024, 1024, kernel_size=1)
        self.fc6 = nn.Conv2d(512, 1024, kernel_size=3, padding=6, dilation=6)
        self.features = nn.Sequential()
        width = 3
        for step in PLAN:
            if isinstance(step, str):
                self.features.append(nn.MaxPool2d(kernel_size=2, ceil_mode=step == "C"))
            else:
                self.features.append(nn.Conv2d(width, step, kernel_size=3, padding="same"))
                self.features.append(nn.ReLU())
                width = step
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.constant_(parameter, 0.0)
            else:
                nn.init.xavier_uniform_(parameter)

    def forward(self, images):
        x = images
        for number, layer in enumerate(self.features):
            x = layer(x)
            if number == 22:
                conv4_3 = x
        x = F.max_pool2d(x, kernel_size=3, stride=1, padding=1)
        x = self.fc6(x).clamp(min=0)
        return conv4_3, self.fc7(x).clamp(min=0)


def load_vgg16(base, state):
    own = base.state_dict()
    for name in own:
        if name in state:
            own[name] = state[name]
    if any(name.startswith("classifier.") for name in state):
        for name, number, shape in (("fc6", 0, (512, 7, 7)), ("fc7", 3, (4096, 1, 1))):
            weight = state[f"classifier.{number}.weight"].unflatten(1, shape)
            steps = [4, None, 3, 3] if name == "fc6" else [4, 4, None, None]
            own[f"{name}.weight"] = decimate(weight, steps)
            own[f"{name}.bias"] = decimate(state[f"classifier.{number}.bias"], [4])
    base.load_state_dict(own)
