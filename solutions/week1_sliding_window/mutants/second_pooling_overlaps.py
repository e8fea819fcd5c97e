"""task: 1.8
does: the second pooling moves by one cell; the window is right for that network
hint: Your numbers fit your network, but its second pooling is not the one of the task. What is the
stride of `MaxPool2d(2)` if you do not give one?
"""


def build_with_pool() -> nn.Module:
    layers = list(build_network())
    layers.insert(3, nn.MaxPool2d(2, stride=1))
    return nn.Sequential(*layers)


coincide = {"conv": (18, 2), "pool": (16, 2)}
