"""task: 4.3
does: goes through the file's names in alphabetical order
hint: Sort the names `features.0`, `features.2`, `features.10` as text: which comes second?
"""


def load_vgg16(base: VGGBase, state: Mapping[str, Tensor]) -> None:
    convolutions = [m for m in base.modules() if isinstance(m, nn.Conv2d)][:13]
    ours = sorted(name for name in state if name.startswith("features."))
    numbers = [name.split(".")[1] for name in ours if name.endswith("weight")]
    with torch.no_grad():
        for layer, number in zip(convolutions, numbers, strict=True):
            layer.weight.copy_(state[f"features.{number}.weight"])
            layer.bias.copy_(state[f"features.{number}.bias"])
        if "classifier.0.weight" in state:
            fc6 = state["classifier.0.weight"].view(4096, 512, 7, 7)
            fc7 = state["classifier.3.weight"].view(4096, 4096, 1, 1)
            base.conv6.weight.copy_(decimate(fc6, (4, None, 3, 3)))
            base.conv6.bias.copy_(decimate(state["classifier.0.bias"], (4,)))
            base.conv7.weight.copy_(decimate(fc7, (4, 4, None, None)))
            base.conv7.bias.copy_(decimate(state["classifier.3.bias"], (4,)))
