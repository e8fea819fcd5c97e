"""Scenes of digits in colour, 300×300, and a set of them in Pascal VOC's format.

The students' set (`detlab/data/digits_voc`) was made with it. Two of its scenes are also what a
network learns by heart while it is graded, made of other digits.
"""

from pathlib import Path
from xml.sax.saxutils import escape

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torchvision.transforms.functional import to_pil_image

SIDE = 300  # of a scene, pixels
MIN_PATCH, MAX_PATCH = 48, 150  # sides that a 28×28 patch is resized to, pixels
MOST = 5  # digits in a scene
SMALL = 44  # a digit less high than this is marked as difficult
OVERLAP = 0.1  # most IoU of two digits

Scene = tuple[Tensor, dict[str, Tensor]]


def make_scene(digits: Tensor, labels: Tensor, rng: torch.Generator) -> Scene:
    """Make one scene: one to five digits in colour before a background with a gradient.

    Args:
        digits: (N, 1, 28, 28) float32 in [0, 1].
        labels: (N,) int64, 0 to 9.
        rng: the only source of chance.

    Returns:
        (3, 300, 300) float32 image in [0, 1], and its target: "boxes" (n, 4) float32, `xyxy` in
        pixels, "labels" (n,) int64, the digit plus 1, "difficult" (n,) bool.
    """
    image = background(rng)
    boxes: list[list[int]] = []
    classes = []
    for _ in range(1 + draw(MOST, rng)):
        n = draw(len(digits), rng)
        ink = crop(resize(digits[n], MIN_PATCH + draw(MAX_PATCH - MIN_PATCH, rng)))
        height, width = ink.shape
        for _ in range(20):
            left, top = draw(SIDE - width, rng), draw(SIDE - height, rng)
            box = [left, top, left + width, top + height]
            if all(iou(box, other) <= OVERLAP for other in boxes):
                break
        else:
            continue
        place = image[:, top : box[3], left : box[2]]
        colour = (place.mean((1, 2)) + 0.35 + 0.3 * torch.rand(3, generator=rng)) % 1.0
        place.copy_(place + ink * (colour[:, None, None] - place))
        boxes.append(box)
        classes.append(int(labels[n]) + 1)
    return image.clamp(0, 1), {
        "boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        "labels": torch.tensor(classes, dtype=torch.int64),
        "difficult": torch.tensor([box[3] - box[1] < SMALL for box in boxes], dtype=torch.bool),
    }


def draw(count: int, rng: torch.Generator) -> int:
    """Draw a whole number from 0 to count - 1."""
    return int(torch.randint(count, (), generator=rng))


def background(rng: torch.Generator) -> Tensor:
    """Make a background: a few colours that run into each other, and a little noise."""
    colours = 0.25 + 0.5 * torch.rand(1, 3, 3, 3, generator=rng)
    smooth = F.interpolate(colours, (SIDE, SIDE), mode="bicubic", align_corners=True)[0]
    return (smooth + 0.015 * torch.randn(1, SIDE, SIDE, generator=rng)).clamp(0, 1)


def resize(digit: Tensor, side: int) -> Tensor:
    """Resize a (1, 28, 28) patch to (side, side), with edges about as sharp as its own."""
    patch = F.interpolate(digit[None], (side, side), mode="bicubic", align_corners=False)[0, 0]
    return ((patch - 0.25) * 2).clamp(0, 1)


def crop(patch: Tensor) -> Tensor:
    """Cut an (H, W) patch to its ink: the pixels of at least a tenth."""
    rows, columns = ((patch > 0.1).any(axis).nonzero().flatten() for axis in (1, 0))
    return patch[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def iou(box: list[int], other: list[int]) -> float:
    """Return the IoU of two `xyxy` boxes."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    shared = max(width, 0) * max(height, 0)
    areas = sum((b[2] - b[0]) * (b[3] - b[1]) for b in (box, other))
    return shared / (areas - shared)


def write_set(
    folder: Path, digits: Tensor, labels: Tensor, counts: dict[str, int], seed: int
) -> None:
    """Write scenes as a set in Pascal VOC's format.

    Args:
        folder: to be made.
        digits: (N, 1, 28, 28) float32 in [0, 1].
        labels: (N,) int64, 0 to 9.
        counts: images of each split.
        seed: of all chance.
    """
    rng = torch.Generator().manual_seed(seed)
    for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    number = 0
    for split, count in counts.items():
        stems = [f"{number + n:06}" for n in range(1, count + 1)]
        number += count
        for stem in stems:
            image, target = make_scene(digits, labels, rng)
            picture = to_pil_image(image)
            picture.save(folder / "JPEGImages" / f"{stem}.jpg", quality=85)
            text = annotation(f"{stem}.jpg", picture, target)
            (folder / "Annotations" / f"{stem}.xml").write_text(text, "utf-8")
        listed = "".join(f"{stem}\n" for stem in stems)
        (folder / "ImageSets" / "Main" / f"{split}.txt").write_text(listed, "utf-8")


def annotation(filename: str, picture: Image.Image, target: dict[str, Tensor]) -> str:
    """Write an image's objects as Pascal VOC does: the first and last pixel, counted from 1."""
    lines = ["<annotation>", f"  <filename>{escape(filename)}</filename>", "  <size>"]
    sizes = {"width": picture.width, "height": picture.height, "depth": 3}
    lines += [f"    <{key}>{value}</{key}>" for key, value in sizes.items()]
    lines.append("  </size>")
    for box, label, difficult in zip(*target.values(), strict=True):
        left, top, right, bottom = (int(edge) for edge in box.tolist())
        corners = (left + 1, top + 1, right, bottom)
        lines += ["  <object>", f"    <name>{int(label) - 1}</name>"]
        lines += [f"    <difficult>{int(difficult)}</difficult>", "    <bndbox>"]
        keys = ("xmin", "ymin", "xmax", "ymax")
        lines += [f"      <{k}>{c}</{k}>" for k, c in zip(keys, corners, strict=True)]
        lines += ["    </bndbox>", "  </object>"]
    return "\n".join([*lines, "</annotation>", ""])
