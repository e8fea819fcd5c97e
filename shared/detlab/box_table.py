"""The boxes of many images in one table, if they can be measured.

Images are looked at all together, in a third of the time that one after the other takes; only when
something is wrong are they gone through, to say where and what.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

LABEL_LIMIT = 2**31  # one number for an image and a class then fits in 64 bits
UNORDERED = (torch.bool, torch.complex32, torch.complex64, torch.complex128)
Image = dict[str, Tensor]


@dataclass(frozen=True)
class BoxTable:
    """A row for each box, image by image.

    Attributes:
        boxes: (n, 4) float64.
        labels: (n,) int64.
        images: (n,) int64, the image of each, from 0.
        scores: (n,) float64; for truths, zeros.
        difficult: (n,) bool; for detections, all False.
    """

    boxes: np.ndarray
    labels: np.ndarray
    images: np.ndarray
    scores: np.ndarray
    difficult: np.ndarray


def table_of_detections(detections: Sequence[Image]) -> BoxTable:
    """Put detections, with "boxes", "labels" and "scores" in each image, into one table.

    Raises:
        ValueError: something cannot be measured; the message names the image.
    """
    return _table(detections, "detections", ("boxes", "labels", "scores"))


def table_of_truths(truths: Sequence[Image]) -> BoxTable:
    """Put true boxes, with "boxes", "labels" and perhaps "difficult", into one table.

    Raises:
        ValueError: something cannot be measured; the message names the image.
    """
    flags = ("difficult",) if any("difficult" in image for image in truths) else ()
    return _table(truths, "truths", ("boxes", "labels", *flags))


def _table(images: Sequence[Image], what: str, keys: Sequence[str]) -> BoxTable:
    """Join what all images have under each key."""
    images = images or [{key: torch.zeros(0) for key in keys}]  # `cat` wants one at least
    try:
        columns = {key: _column(images, key) for key in keys}
        joined = {key: _join(key, column) for key, column in columns.items()}
    except (AttributeError, KeyError, TypeError, RuntimeError) as error:
        raise ValueError(_first_fault(images, what, keys) or f"{what}: {error}") from error
    counts = [one.numel() for one in columns["labels"]]
    if not (_fit(columns, joined, counts) and _are_sound(joined)):
        raise ValueError(_first_fault(images, what, keys))
    zeros = torch.zeros(sum(counts))
    return BoxTable(
        boxes=joined["boxes"].double().reshape(-1, 4).numpy(),
        labels=joined["labels"].long().numpy(),
        images=np.repeat(np.arange(len(images)), counts),
        scores=joined.get("scores", zeros).double().numpy(),
        difficult=joined.get("difficult", zeros).bool().numpy(),
    )


def _column(images: Sequence[Image], key: str) -> list[Tensor]:
    """List what all images have under a key; where no difficulty is told, none is."""
    if key != "difficult":
        return [image[key] for image in images]
    return [
        image[key] if key in image else torch.zeros(image["labels"].shape, dtype=torch.bool)
        for image in images
    ]


def _join(key: str, column: list[Tensor]) -> Tensor:
    """Join the tensors of all images under a key.

    Raises:
        TypeError: they are of a type in which nothing can be measured.
    """
    dtypes = {one.dtype for one in column}
    if key != "difficult" and not dtypes.isdisjoint(UNORDERED):
        raise TypeError(f"the {key} are of {dtypes}")
    if len(dtypes) > 1:  # `cat` would round int64 to float32, the type of many an empty tensor
        column = [one.double() for one in column]
    return torch.cat(column).detach().cpu()


def _fit(columns: dict[str, list[Tensor]], joined: dict[str, Tensor], counts: list[int]) -> bool:
    """Say whether all shapes are right: joining has compared all sides but the first."""
    for key, column in columns.items():
        sides, numbers = ((4,), [4 * n for n in counts]) if key == "boxes" else ((), counts)
        if [one.numel() for one in column] != numbers:
            return False
        no_boxes = key == "boxes" and not joined[key].numel()  # where (0,) will do
        if joined[key].shape[1:] != sides and not no_boxes:
            return False
    return True


def _are_sound(joined: dict[str, Tensor]) -> bool:
    """Say whether all values can be measured."""
    labels = joined["labels"]
    if labels.is_floating_point():
        labels = labels.double()
        if (labels != labels.floor()).any():
            return False
    names = labels.numpy()
    if not (names.min(initial=0) > -LABEL_LIMIT and names.max(initial=0) < LABEL_LIMIT):
        return False
    if "scores" in joined:
        return bool(torch.isfinite(joined["scores"]).all())
    boxes = joined["boxes"].reshape(-1, 4)
    return bool(torch.isfinite(boxes).all() and (boxes[:, 2:] >= boxes[:, :2]).all())


def _first_fault(images: Sequence[Image], what: str, keys: Sequence[str]) -> str:
    """Say what is wrong with the first image that has a fault; nothing if none has."""
    for n, image in enumerate(images):
        if fault := _shape_fault(image, keys) or _value_fault(image, keys):
            return f"{what} of image {n}: {fault}"
    return ""


def _shape_fault(image: Image, keys: Sequence[str]) -> str:
    """Say what an image lacks, or has in a wrong type or shape; nothing if all is well."""
    for key in keys:
        if key not in image and key != "difficult":
            return f'there is no "{key}"'
    own = {key: image[key] for key in keys if key in image}
    for key, one in own.items():
        if not isinstance(one, Tensor):
            return f"the {key} are of type {type(one).__name__}, not a tensor"
        if key != "difficult" and one.dtype in UNORDERED:
            return f"the {key} are {one.dtype}, no numbers with an order"
    shape = tuple(own.pop("boxes").shape)
    if shape != (0,) and (len(shape) != 2 or shape[1] != 4):
        return f"the boxes have shape {shape}, not (n, 4)"
    for key, one in own.items():
        if tuple(one.shape) != shape[:1]:
            return f"the {key} have shape {tuple(one.shape)}, not {shape[:1]}"
    return ""


def _value_fault(image: Image, keys: Sequence[str]) -> str:
    """Say which value of an image cannot be measured; nothing if all can."""
    for label in image["labels"].tolist():
        if label != label // 1:  # NaN and infinity among them
            return f"the label {label} is not a whole number"
        if not -LABEL_LIMIT < label < LABEL_LIMIT:
            return f"the label {label} is too large: labels have 32 bits"
    if "scores" in keys:
        return "" if torch.isfinite(image["scores"]).all() else "a score is not finite"
    for box in image["boxes"].tolist():
        left, top, right, bottom = box
        if not (np.isfinite(box).all() and left <= right and top <= bottom):
            return f"the box {box} is reversed or not finite"
    return ""
