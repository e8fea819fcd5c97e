"""task: 4.3
does: loads the weights only
hint: What besides weights does the file have for each layer?
"""


def load_vgg16(base: VGGBase, state: Mapping[str, Tensor]) -> None:
    convolutions = [m for m in base.modules() if isinstance(m, nn.Conv2d)][:13]
    numbers = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    with torch.no_grad():
        for layer, number in zip(convolutions, numbers, strict=True):
            layer.weight.copy_(state[f"features.{number}.weight"])
        if "classifier.0.weight" in state:
            fc6 = state["classifier.0.weight"].view(4096, 512, 7, 7)
            fc7 = state["classifier.3.weight"].view(4096, 4096, 1, 1)
            base.conv6.weight.copy_(decimate(fc6, (4, None, 3, 3)))
            base.conv6.bias.copy_(decimate(state["classifier.0.bias"], (4,)))
            base.conv7.weight.copy_(decimate(fc7, (4, 4, None, None)))
            base.conv7.bias.copy_(decimate(state["classifier.3.bias"], (4,)))
