"""task: 4.3
does: loads into a copy of the base
hint: Print a weight of the base before and after. Who gets to see the network that you loaded
into?
"""

from copy import deepcopy

_load = load_vgg16


def load_vgg16(base: VGGBase, state: Mapping[str, Tensor]) -> None:
    base = deepcopy(base)
    _load(base, state)
