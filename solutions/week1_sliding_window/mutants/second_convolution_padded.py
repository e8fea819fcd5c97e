"""task: 1.8
does: pads the second convolution so that the window stays 14
hint: With padding the classifier sees zeros around its window, where the twin sees pixels of the
image. Is there any padding in the layer that the task describes?
"""


def build_with_conv() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 16, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(400, 400),
        nn.ReLU(),
        nn.Linear(400, 400),
        nn.ReLU(),
        nn.Linear(400, CLASSES),
    )


coincide = {"conv": (14, 2), "pool": (24, 4)}
