"""What the references of weeks 4 and 5 are trained and measured on."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms.functional import resize, to_tensor

from detgrader.course import CourseError
from detlab.pretrained import WeightsError, pretrained_state
from detlab.sets import voc

Target = dict[str, Tensor]
Item = tuple[Tensor, Target]


def read_sets(name: str) -> tuple[voc.ImageSet, voc.ImageSet, tuple[str, ...]]:
    """Return the images to train on, those to measure on, and the classes' names.

    Args:
        name: "digits", "bccd" (trainval and test) or "voc" (trainval of 2007 and 2012, and the test
            part of 2007).

    Raises:
        CourseError: the set is not here, or not sound.
    """
    try:
        if name == "voc":
            home = voc.locate_voc()
            parts = [(home / "VOC2007", "trainval"), (home / "VOC2012", "trainval")]
            test, names = [(home / "VOC2007", "test")], voc.VOC_CLASSES
        else:
            folder, names = voc.locate(name)
            parts = [(folder, "train" if name == "digits" else "trainval")]
            test = [(folder, "test")]
        return voc.read_set(parts, names), voc.read_set(test, names), names
    except (FileNotFoundError, ValueError) as error:
        raise CourseError(str(error)) from None


class Transformed(Dataset):
    """Images as the network sees them; an item is (image, target).

    Chance depends on the seed, the epoch and the item alone, so that a training that was stopped
    goes on as if it had not been, whoever loads the images.

    Args:
        images: where they lie and what is on them.
        transform: of task 4.2.
        seed: None for evaluation: then there is no chance.
    """

    def __init__(self, images: voc.ImageSet, transform: Callable, seed: int | None = None):
        self.images, self.transform, self.seed = images, transform, seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, n: int) -> Item:
        with Image.open(self.images.paths[n]) as file:
            image = to_tensor(file.convert("RGB"))
        return self.transform(image, self.images.objects[n], self.generator(n))

    def generator(self, n: int) -> torch.Generator | None:
        """Return the source of chance for an item."""
        if self.seed is None:
            return None
        return torch.Generator().manual_seed((self.seed << 40) + (self.epoch << 20) + n)


def gentle(reference: ModuleType) -> Callable:
    """Return a transform for images that are all taken at one scale, such as of a microscope.

    They are never zoomed out, every other one is whole, and up and down are as good as left and
    right. The steps are those of task 4.2; colours change last, when there are fewer pixels.
    """

    def transform(image: Tensor, target: Target, generator: torch.Generator | None = None) -> Item:
        if generator is None:
            return reference.transform(image, target)
        crops, left_right, up_down = (torch.rand(3, generator=generator) < 0.5).tolist()
        if crops:
            image, target = reference.random_crop(image, target, generator)
        if left_right:
            image, boxes = reference.flip(image, target["boxes"])
            target = target | {"boxes": boxes}
        if up_down:  # a left-right flip of the image on its side
            image, boxes = reference.flip(image.mT, target["boxes"][:, [1, 0, 3, 2]])
            image, target = image.mT, target | {"boxes": boxes[:, [1, 0, 3, 2]]}
        scale = reference.SIDE / torch.tensor([image.shape[2], image.shape[1]] * 2)
        target = target | {"boxes": target["boxes"] * scale}
        image = resize(image, [reference.SIDE] * 2, antialias=True).clamp(0, 1)
        return reference.transform(reference.distort(image, generator), target)

    return transform


def collate(items: Sequence[Item]) -> tuple[Tensor, list[dict[str, Tensor]]]:
    """Stack the images of a batch; targets stay in a list."""
    images, targets = zip(*items, strict=True)
    return torch.stack(images), list(targets)


def initial_weights(weights: Path | None, network: str = "vgg16") -> dict[str, Tensor]:
    """Return the state of a classifier: torchvision's for ImageNet, or that of a file.

    Args:
        weights: safetensors, or what `torch.save` wrote of a state dict; torchvision's names.
        network: "vgg16" or "resnet34".

    Raises:
        CourseError: it cannot be had.
    """
    try:
        return pretrained_state(network, weights)
    except WeightsError as error:
        advice = "" if weights else " Without a network, name a file with --weights."
        raise CourseError(f"{error}{advice}") from None
