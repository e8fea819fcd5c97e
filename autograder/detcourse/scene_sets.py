"""Sets of scenes to train and to measure on, which no student has, as weeks 3 and 5 use them."""

import functools

import torch
from torch import Tensor

from detcourse.hidden_digits import load_hidden_digits
from detcourse.scenes import make_scenes
from detcourse.trainings import UPRIGHT, Turn, turned
from detlab.digits import load_digits

HIDDEN_SCENES = 500
BATCH_SIZE = 32

Scenes = tuple[Tensor, list[Tensor], list[Tensor]]


def standardised(images: Tensor) -> Tensor:
    """Give each of (N, 1, H, W) uint8 images mean 0 and deviation 1; float32."""
    images = images.float()
    mean, deviation = images.mean((1, 2, 3), keepdim=True), images.std((1, 2, 3), keepdim=True)
    return (images - mean) / deviation.clamp(min=1e-6)


@functools.lru_cache(maxsize=4)
def scenes_of(part: str, count: int, seed: int, turn: Turn = UPRIGHT) -> Scenes:
    """Make scenes of a part's digits, the same for every submission of a batch.

    Args:
        turn: of all of them.

    Returns:
        (count, 1, 32, 32) float32 images, standardised; boxes and classes of each.
    """
    digits, labels = load_hidden_digits() if part == "hidden" else load_digits(part)
    images, boxes, classes = make_scenes(digits, labels, count, seed)
    images, together = turned(standardised(images), torch.cat(boxes), turn)
    return images, list(together.split([len(one) for one in boxes])), classes


def renamed(classes: list[Tensor], names: Tensor) -> list[Tensor]:
    """Give classes other numbers; the background keeps its own."""
    return [names[one] for one in classes]


def secret_names(rng: torch.Generator, num_classes: int) -> Tensor:
    """Draw numbers for the classes: weights that were trained elsewhere do not know them."""
    return torch.cat([torch.zeros(1).long(), 1 + torch.randperm(num_classes - 1, generator=rng)])
