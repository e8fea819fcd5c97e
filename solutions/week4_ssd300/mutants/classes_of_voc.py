"""task: 4.12
does: makes the network for the twenty classes of VOC
hint: How many kinds of cells are there, and how many classes together with the background?
"""


def build_detector() -> nn.Module:
    return SSD300(num_classes=21)
