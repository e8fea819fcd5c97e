"""Scenes of several digits in a small image, ready-made: 4,000 to train on, 500 for validation.

Made of the digits of the same parts (see `detlab.digits` for their source and licence).
"""

import io
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from detlab.digits import PARTS, read_checked

SCENES = Path(__file__).with_name("data") / "scenes.npz"
SCENES_SHA256 = "f2ccea1dbea2dcfcdbf4584ff57249c2b3220f2b09ab5df5eb71616282a1b8a3"
SIDE = 32

Scenes = tuple[Tensor, list[Tensor], list[Tensor]]


def load_scenes(part: str = "train") -> Scenes:
    """Load one part of the course's scenes.

    Args:
        part: "train" (N = 4000) or "validation" (N = 500).

    Returns:
        (N, 1, 32, 32) float32 images in [0, 1]; for each a (n, 4) float32 tensor of boxes,
        `xyxy` in fractions, and a (n,) int64 tensor of labels, the digit plus 1; n is 0 to 4.

    Raises:
        ValueError: there is no such part.
        DataError: the file is missing or damaged.
    """
    if part not in PARTS:
        raise ValueError(f"there is no part {part!r}; known: {', '.join(PARTS)}")
    content = read_checked(SCENES, SCENES_SHA256)
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        names = ("images", "counts", "boxes", "labels")
        images, counts, boxes, labels = (
            torch.from_numpy(arrays[f"{part}_{name}"]) for name in names
        )
    per_scene = counts.tolist()
    return (
        images.unsqueeze(1).float() / 255,
        list((boxes.float() / SIDE).split(per_scene)),
        list(labels.long().split(per_scene)),
    )
