"""task: 4.12
does: makes the network for three classes
hint: There are three kinds of cells. Which class does `num_classes` count besides?
"""


def build_detector() -> nn.Module:
    return SSD300(num_classes=3)
