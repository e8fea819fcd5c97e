"""The grader's own SSD300: it runs weights that were handed in, and none of their owner's code."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from detcourse.week4.full_size import cells_of_maps
from detcourse.week4.networks import AUXILIARY, rescaled
from detlab.handing_in import CONVOLUTIONS, FACTORS, MAPS, PRIORS
from detlab.weeks.week4.assertions import CHANNELS, PER_CELL
from detlab.weeks.week4.tools.vgg import VGG_CONVOLUTIONS


class Trunk(NamedTuple):
    """A convolution of base or auxiliary part, and how its input is pooled before it."""

    name: str
    channels_in: int
    channels_out: int
    kernel: int = 3
    stride: int = 1
    padding: int = 1
    dilation: int = 1
    pooled: tuple[int, int, int, bool] | None = None  # kernel, stride, padding, rounded up


HALVED, ROUNDED_UP, KEPT = (2, 2, 0, False), (2, 2, 0, True), (3, 1, 1, False)
# By torchvision's numbers: the convolutions that come after a pooling.
POOLED = {5: HALVED, 10: HALVED, 17: ROUNDED_UP, 24: HALVED}
SETTINGS = [
    *((into, out, 3, 1, 1, 1, POOLED.get(index)) for index, into, out in VGG_CONVOLUTIONS),
    (512, 1024, 3, 1, 6, 6, KEPT),
    (1024, 1024, 1, 1, 0, 1, None),
    *((*row, 1, None) for block in AUXILIARY for row in block),
]
TRUNK = [Trunk(name, *settings) for name, settings in zip(CONVOLUTIONS, SETTINGS, strict=True)]
SEEN = ("conv7", "conv8_2", "conv9_2", "conv10_2", "conv11_2")  # beside conv4_3


def shapes(num_classes: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all that a file of weights holds, by name."""
    found: dict[str, tuple[int, ...]] = {}
    for one in TRUNK:
        found[f"{one.name}.weight"] = (one.channels_out, one.channels_in, one.kernel, one.kernel)
        found[f"{one.name}.bias"] = (one.channels_out,)
    for what, numbers in (("offsets", 4), ("logits", num_classes)):
        for size, channels, count in zip(MAPS, CHANNELS, PER_CELL, strict=True):
            found[f"{what}_{size}.weight"] = (count * numbers, channels, 3, 3)
            found[f"{what}_{size}.bias"] = (count * numbers,)
    priors = sum(cells.shape[0] * cells.shape[1] for cells in cells_of_maps())
    return found | {FACTORS: (512,), PRIORS: (priors, 4)}


@torch.no_grad()
def answers(weights: dict[str, Tensor], images: Tensor, num_classes: int) -> tuple[Tensor, Tensor]:
    """Run SSD300.

    Args:
        weights: as `shapes` has them, float32.
        images: (N, 3, 300, 300) float32, normalised.

    Returns:
        offsets (N, 8732, 4) and logits (N, 8732, num_classes).
    """

    def convolve(name: str, features: Tensor, **settings: int) -> Tensor:
        return F.conv2d(features, weights[f"{name}.weight"], weights[f"{name}.bias"], **settings)

    maps, features = [], images
    for one in TRUNK:
        if one.pooled:
            kernel, stride, padding, ceil = one.pooled
            features = F.max_pool2d(features, kernel, stride, padding, ceil_mode=ceil)
        settings = {"stride": one.stride, "padding": one.padding, "dilation": one.dilation}
        features = convolve(one.name, features, **settings).relu()
        if one.name == "conv4_3":
            maps.append(rescaled(features, weights[FACTORS][:, None, None]))
        elif one.name in SEEN:
            maps.append(features)
    found = []
    for what, numbers in (("offsets", 4), ("logits", num_classes)):
        rows = [
            convolve(f"{what}_{size}", features, padding=1).permute(0, 2, 3, 1)
            for size, features in zip(MAPS, maps, strict=True)
        ]
        found.append(torch.cat([one.reshape(len(images), -1, numbers) for one in rows], 1))
    return found[0], found[1]
