"""The right transforms of week 4, and pictures on which their effect can be read."""

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms import functional as TF

from detcourse.cases import uniform
from detcourse.truth import box_iou
from detlab.imagenet import IMAGENET_MEAN, IMAGENET_STD
from detlab.weeks.week4.assertions import SIDE

MEAN = torch.tensor(IMAGENET_MEAN)[:, None, None]
STD = torch.tensor(IMAGENET_STD)[:, None, None]
OVERLAPS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, None)
TRIES = 50

Target = dict[str, Tensor]


def number(rng: torch.Generator, low: float, high: float) -> float:
    """Draw a number."""
    return float(uniform(rng, low, high, 1))


def distort(image: Tensor, rng: torch.Generator) -> Tensor:
    """Change the colours."""
    ways = [
        (TF.adjust_brightness, 0.5, 1.5),
        (TF.adjust_contrast, 0.5, 1.5),
        (TF.adjust_saturation, 0.5, 1.5),
        (TF.adjust_hue, -18 / 255, 18 / 255),
    ]
    for n in torch.randperm(4, generator=rng).tolist():
        way, low, high = ways[n]
        if number(rng, 0, 1) < 0.5:
            image = way(image, number(rng, low, high))
    return image


def zoom_out(image: Tensor, boxes: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Put an image on a larger canvas."""
    scale, (height, width) = number(rng, 1, 4), image.shape[1:]
    tall, wide = int(scale * height), int(scale * width)
    top = int(torch.randint(tall - height + 1, (), generator=rng))
    left = int(torch.randint(wide - width + 1, (), generator=rng))
    canvas = MEAN.repeat(1, tall, wide)
    canvas[:, top : top + height, left : left + width] = image
    return canvas, boxes + torch.tensor([left, top, left, top])


def windows(height: int, width: int, boxes: Tensor, rng: torch.Generator, count: int = 1) -> Tensor:
    """Draw crops of an image with boxes (n, 4), n > 0: many at once, and all their tries.

    Returns:
        (count, 4) float32: top, left, height and width; of the whole image, where nothing is cut.
    """
    whole = torch.tensor([0.0, 0.0, height, width])
    found = whole.repeat(count, 1)
    waiting = torch.arange(count)
    while len(waiting):
        choice = torch.randint(len(OVERLAPS), (len(waiting),), generator=rng)
        waiting = waiting[choice < len(OVERLAPS) - 1]
        least = torch.tensor(OVERLAPS[:-1])[choice[choice < len(OVERLAPS) - 1]]
        drawn = 0.3 + 0.7 * torch.rand(len(waiting), TRIES, 2, generator=rng)
        tall, wide = (drawn * torch.tensor([height, width])).floor().unbind(-1)
        places = torch.rand(len(waiting), TRIES, 2, generator=rng)
        top = (places[..., 0] * (height - tall + 1)).floor()
        left = (places[..., 1] * (width - wide + 1)).floor()
        edges = torch.stack([left, top, left + wide, top + tall], -1)
        good = (tall / wide > 0.5) & (tall / wide < 2) & holds_a_centre(boxes, edges)
        overlap = box_iou(edges.flatten(0, 1), boxes).amax(1).view(len(waiting), TRIES)
        good &= overlap >= least[:, None]
        done, first = good.any(1), good.int().argmax(1)
        rows = torch.arange(len(waiting))
        tried = torch.stack([top, left, tall, wide], -1)[rows, first]
        found[waiting[done]] = tried[done]
        waiting = waiting[~done]
    return found


def holds_a_centre(boxes: Tensor, edges: Tensor) -> Tensor:
    """Say of windows (..., 4), `xyxy`, whether a box (n, 4) has its centre inside."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    edges = edges.unsqueeze(-2)
    return ((centres > edges[..., :2]) & (centres < edges[..., 2:])).all(-1).any(-1)


def inside(centres: Tensor, window: Tensor) -> Tensor:
    """Say which centres lie in a window, `xyxy`."""
    return ((centres > window[:2]) & (centres < window[2:])).all(1)


def crop(image: Tensor, target: Target, rng: torch.Generator) -> tuple[Tensor, Target]:
    """Cut a piece out."""
    if len(target["boxes"]) == 0:
        return image, dict(target)
    window = windows(*image.shape[1:], target["boxes"], rng)[0]
    top, left, tall, wide = window.int().tolist()
    piece = image[:, top : top + tall, left : left + wide]
    return piece, cropped_target(target, top, left, tall, wide)


def cropped_target(target: Target, top: int, left: int, tall: int, wide: int) -> Target:
    """Keep the objects whose centres lie in a window, clipped to it, in its own pixels."""
    window = torch.tensor([left, top, left + wide, top + tall], dtype=torch.float32)
    centres = (target["boxes"][:, :2] + target["boxes"][:, 2:]) / 2
    kept = {name: values[inside(centres, window)] for name, values in target.items()}
    corner = torch.tensor([left, top, left, top])
    sides = torch.tensor([wide, tall, wide, tall])
    kept["boxes"] = (kept["boxes"] - corner).clamp(min=0).minimum(sides)
    return kept


def flip(image: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Mirror left and right."""
    width = image.shape[2]
    return image.flip(2), torch.stack(
        [width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], 1
    )


def resized(image: Tensor, antialias: bool) -> Tensor:
    """Resize to 300×300, bilinear."""
    options = {"mode": "bilinear", "align_corners": False, "antialias": antialias}
    return F.interpolate(image[None], (SIDE, SIDE), **options)[0]


def fractions(target: Target, height: int, width: int) -> Target:
    """Divide boxes by the image's sides."""
    return target | {"boxes": target["boxes"] / torch.tensor([width, height, width, height])}


def transform(
    image: Tensor, target: Target, rng: torch.Generator | None = None
) -> tuple[Tensor, Target]:
    """Make an image ready for the network."""
    if rng is not None:
        image = distort(image, rng)
        if number(rng, 0, 1) < 0.5:
            image, boxes = zoom_out(image, target["boxes"], rng)
            target = target | {"boxes": boxes}
        image, target = crop(image, target, rng)
        if number(rng, 0, 1) < 0.5:
            image, boxes = flip(image, target["boxes"])
            target = target | {"boxes": boxes}
    target = fractions(target, *image.shape[1:])
    return (resized(image, True) - MEAN) / STD, target


def target_with(boxes: Tensor, rng: torch.Generator) -> Target:
    """Return a target with these boxes, and labels and difficulties of any kind."""
    count = len(boxes)
    return {
        "boxes": boxes,
        "labels": 1 + torch.randperm(count + 3, generator=rng)[:count],
        "difficult": torch.rand(count, generator=rng) < 0.4,
    }


def boxes_inside(rng: torch.Generator, count: int, height: int, width: int) -> Tensor:
    """Return boxes (count, 4), `xyxy` in pixels, whose centres lie on no whole or half pixel."""
    sides = torch.stack(
        [uniform(rng, 0.15, 0.5, count) * width, uniform(rng, 0.15, 0.5, count) * height], 1
    )
    room = torch.tensor([width, height]) - sides
    corners = room * torch.rand(count, 2, generator=rng)
    return torch.cat([corners, corners + sides], 1)


def chart(height: int, width: int) -> Tensor:
    """Return an image whose pixels tell their place: red the column, green the row, in 255ths."""
    rows = torch.arange(height, dtype=torch.float32)[:, None].expand(height, width)
    columns = torch.arange(width, dtype=torch.float32).expand(height, width)
    return torch.stack([columns / 255, rows / 255, torch.full((height, width), 0.9)])
