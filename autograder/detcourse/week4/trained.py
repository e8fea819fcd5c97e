"""The measuring of task 4.12: weights that were handed in, on images of blood.

They run in the grader's own network: a file holds numbers, and no code of its owner's.
"""

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor
from torchvision.transforms.functional import hflip, to_tensor

from detcourse.trainings import once
from detcourse.week4 import detector
from detcourse.week4.full_size import expect_priors_of_map
from detcourse.week4.pipeline import transform
from detgrader.course import Course
from detgrader.files import Missing, TooLarge
from detgrader.grading.handed_in import HandedIn
from detlab.checking.expect import fail
from detlab.checking.student import Student
from detlab.fast import detect
from detlab.handing_in import PRIORS
from detlab.metrics import DetectionResult, mean_average_precision
from detlab.sets import voc
from detlab.sets.downloads import BCCD_SHA256
from detlab.weeks.detection import IOU_THRESHOLD, MIN_SCORE, TOP_K
from detlab.weeks.week4.assertions import FEATURE_SIZES

NUM_CLASSES = len(voc.BCCD_CLASSES) + 1
MAX_MB = 160
MAX_HEADER, MAX_ENTRIES, MAX_DIMENSIONS = 1 << 20, 1000, 8
CHUNK = 8
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
EVERY = 4  # of the training images each fourth is measured: 73, as many as test images
# An honest network that had learned too little was better on the test images by 0.022: 0.878 where
# 72 of its training images had 0.856 (docs/results.md, with boxes a pixel narrower).
BETTER = 0.05


@dataclass(frozen=True)
class Score:
    """What was measured.

    Attributes:
        mean: average precision, all-point.
        per_class: the same, by the names of the cells, for the student.
        remark: for staff, or the empty string.
    """

    mean: float
    per_class: str
    remark: str


def read_weights(file: HandedIn) -> dict[str, Tensor]:
    """Read the weights that a student handed in; what is wrong with the file is told to them."""
    name, problem = file.path.name, file.problem
    if isinstance(problem, Missing):
        others = sorted(one.name for one in file.path.parent.glob("*.safetensors"))[:3]
        if len(list(file.path.parent.glob("*.ipynb"))) > 1:
            others = []  # they may be other students'
        found = f" There is {', '.join(others)}: rename it." if others else ""
        fail(f"There is no {name} beside the notebook: hand it in with it.{found}")
    if isinstance(problem, TooLarge):
        fail(
            f"{name} has {problem.size / 10**6:.0f} MB, more than {MAX_MB}: save the network "
            "alone, in float32, with `save_detector`."
        )
    if problem:
        fail(str(problem).replace(str(file.path), name) + " Hand in an ordinary file.")
    try:
        check_header(file.data)
        return load(file.data)
    except (
        SafetensorError,
        RuntimeError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:
        words = " ".join(str(error).split())[:100]
        fail(
            f"{name} cannot be read as weights ({words}): write it with `save_detector`, and hand "
            "in the whole file."
        )


def check_header(data: bytes) -> None:
    """Look at a file's list of tensors before a library builds them.

    Raises:
        ValueError: it is longer than that of any network, or not what the format says.
    """
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > min(MAX_HEADER, len(data) - 8):
        raise ValueError("its header is cut or too long")
    header = json.loads(data[8 : 8 + length])
    if not isinstance(header, dict) or len(header) > MAX_ENTRIES:
        raise ValueError(f"its header is no list of at most {MAX_ENTRIES} tensors")
    shapes = [one.get("shape") for key, one in header.items() if key != "__metadata__"]
    if any(len(shape) > MAX_DIMENSIONS for shape in shapes):
        raise ValueError(f"a tensor has more than {MAX_DIMENSIONS} dimensions")


def check_numbers(weights: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    """Return all numbers of a file as float32, once they are known to be finite."""
    for key, value in weights.items():
        what = f"{name}: {in_one_line(key)}"
        if value.dtype not in FLOATS:
            fail(f"{what} is {value.dtype}: save float32.")
        if not bool(torch.isfinite(value.float()).all()):
            fail(f"{what} holds NaN or infinity. At some step the loss was not finite.")
    return {key: value.float() for key, value in weights.items()}


def check_fits(weights: dict[str, Tensor], name: str) -> None:
    """Check that a file's names and shapes are those of SSD300, and its priors those of 4.7."""
    shapes = detector.shapes(NUM_CLASSES)
    missing = sorted(shapes.keys() - weights.keys())
    foreign = sorted(weights.keys() - shapes.keys())
    if missing or foreign:
        parts = []
        if missing:
            parts.append(f"{len(missing)} of its entries are missing ({missing[0]})")
        if foreign:
            parts.append(f"{len(foreign)} are not of it ({in_one_line(foreign[0])})")
        fail(
            f"{name} does not hold an SSD300 as `save_detector` writes it: {'; '.join(parts)}. "
            "Write the file with `save_detector(net, priors, path)`."
        )
    for key, value in weights.items():
        if tuple(value.shape) != shapes[key]:
            fail(
                f"{name}: {key} has shape {tuple(value.shape)}, but SSD300 for {NUM_CLASSES - 1} "
                f"classes and the background has {shapes[key]}."
            )
    for k in range(len(FEATURE_SIZES)):
        expect_priors_of_map(weights[PRIORS], k, f"{name}: the priors")


def in_one_line(name: str) -> str:
    """Return a name from a file, fit for a message: no line breaks, not too long."""
    return " ".join(name.split())[:80]


Images = tuple[list[Tensor], list[dict[str, Tensor]]]


def read_images(split: str) -> Images:
    """Return the images of a split, "trainval" or "test", and their objects.

    Raises:
        FileNotFoundError: they are not on this machine: that is no fault of a student's.
    """
    folder, names = voc.locate("bccd", Course.find().data)
    return read_once(folder, names, split)


@functools.lru_cache(maxsize=2)
def read_once(folder: Path, names: tuple[str, ...], split: str) -> Images:
    """Read the images of a split, once for all submissions."""
    if voc.content_digest(folder) != BCCD_SHA256:
        raise ValueError(f"{folder} is not BCCD as published: fetch it with `detlab data bccd`")
    images = voc.read_set([(folder, split)], names)
    chosen = range(len(images)) if split == "test" else range(0, len(images), EVERY)
    pictures = []
    for n in chosen:
        with Image.open(images.paths[n]) as file:
            pictures.append(to_tensor(file.convert("RGB")))
    return pictures, [images.objects[n] for n in chosen]


def mirrored(image: Tensor, target: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """Mirror an image, ready for the network, and its boxes, in fractions."""
    boxes = target["boxes"]
    flipped = torch.stack([1 - boxes[:, 2], boxes[:, 1], 1 - boxes[:, 0], boxes[:, 3]], 1)
    return hflip(image), target | {"boxes": flipped}


@once
def measured(_: Student, file: HandedIn) -> Score:
    """Measure handed-in weights on the test images, and on training images for comparison.

    Each test image is shown as it is and mirrored: what was learnt by heart finds half of the
    cells, and no mark hangs on which of the two was drawn.
    """
    weights = check_numbers(read_weights(file), file.path.name)
    check_fits(weights, file.path.name)
    result = precision_on(weights, *read_images("test"), mirror=True)
    known = precision_on(weights, *read_images("trainval"), mirror=False)
    return Score(result.mean, words_on(result), remark_on(result.mean, known.mean))


def precision_on(
    weights: dict[str, Tensor], pictures: list[Tensor], objects: list, mirror: bool
) -> DetectionResult:
    """Measure weights on images.

    Args:
        mirror: show each a second time, mirrored.
    """
    found, truths = [], []
    for first in range(0, len(pictures), CHUNK):
        part = slice(first, first + CHUNK)
        ready = [transform(*one) for one in zip(pictures[part], objects[part], strict=True)]
        for seen in (ready, [mirrored(*one) for one in ready])[: 1 + mirror]:
            images = torch.stack([image for image, _ in seen])
            offsets, logits = detector.answers(weights, images, NUM_CLASSES)
            found += detect(offsets, logits, weights[PRIORS], MIN_SCORE, IOU_THRESHOLD, TOP_K)
            truths += [target for _, target in seen]
    return mean_average_precision(found, truths)


def remark_on(tested: float, known: float) -> str:
    """Tell staff when test images come out better than those that a network learned from."""
    if tested <= known + BETTER:
        return ""
    return (
        f"mAP {tested:.3f} on the test images, {known:.3f} on training images: was it trained on "
        "the test images?"
    )


def words_on(result: DetectionResult) -> str:
    """Say how each class was found."""
    parts = [
        f"{voc.BCCD_CLASSES[label - 1]} {one.average_precision:.3f}"
        for label, one in sorted(result.per_class.items())
    ]
    return ", ".join(parts)
