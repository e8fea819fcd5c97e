"""task: 1.8
does: forgets the ReLU of the second convolution
hint: Window and stride are right, but one of the networks lacks a layer. What follows the new
convolution?
"""


def build_with_conv() -> nn.Module:
    layers = list(build_network())
    layers.insert(3, nn.Conv2d(16, 16, 3))
    return nn.Sequential(*layers)
