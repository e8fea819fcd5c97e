"""task: 1.2
does: a Sequential with names, pairs for sizes and in-place ReLUs
"""

from collections import OrderedDict


def build_network() -> nn.Module:
    """Same network, every layer with a name."""
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(3, 16, kernel_size=(5, 5), stride=(1, 1)),
            relu=nn.ReLU(inplace=True),
            pool=nn.MaxPool2d(kernel_size=(2, 2), stride=(2, 2)),
            flatten=nn.Flatten(start_dim=1),
            fc1=nn.Linear(400, 400),
            relu1=nn.ReLU(inplace=True),
            fc2=nn.Linear(400, 400),
            relu2=nn.ReLU(inplace=True),
            fc3=nn.Linear(400, CLASSES),
        )
    )
