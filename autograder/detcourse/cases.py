"""Random inputs for the checks of weeks 3 to 5."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from detcourse.draws import draws
from detcourse.truth import SMOOTHING, box_iou, cxcywh_to_xyxy, iou_in_doubt, make_priors


def uniform(rng: torch.Generator, low: float, high: float, *shape: int) -> Tensor:
    """Return uniform random numbers in [low, high)."""
    return low + (high - low) * torch.rand(shape, generator=rng)


def randint(rng: torch.Generator, low: int, high: int) -> int:
    """Return a random int from low to high, both included."""
    return int(torch.randint(low, high + 1, (), generator=rng))


def smooth_images(rng: torch.Generator, count: int, height: int, width: int = 0) -> Tensor:
    """Return normalised images that vary smoothly: (count, 3, height, width) float32."""
    coarse = torch.randn(count, 3, 9, 9, generator=rng)
    return F.interpolate(coarse, (height, width or height), mode="bilinear", align_corners=False)


def random_boxes(rng: torch.Generator, count: int, least: float = 0.1, most: float = 0.6) -> Tensor:
    """Return boxes inside the image: (count, 4) float32, `xyxy`, sides from `least` to `most`."""
    sides = uniform(rng, least, most, count, 2)
    corners = (1 - sides) * uniform(rng, 0, 1, count, 2)
    return torch.cat([corners, corners + sides], 1)


def random_labels(rng: torch.Generator, count: int, num_classes: int) -> Tensor:
    """Return labels from 1 to num_classes - 1."""
    return torch.randint(1, num_classes, (count,), generator=rng)


def some_priors(rng: torch.Generator) -> Tensor:
    """Return priors of two maps: (80, 4) float32, `cxcywh`."""
    scales = [float(uniform(rng, 0.25, 0.35)), float(uniform(rng, 0.45, 0.6))]
    ratios = [1.0, float(uniform(rng, 0.4, 0.7)), float(uniform(rng, 1.5, 2.5))]
    return make_priors([4, 2], scales, ratios)


def is_plain(boxes: Tensor, priors: Tensor, threshold: float = 0.5) -> bool:
    """Say whether only one matching is right: no ties, no prior claimed twice, none at the limit.

    Every object needs a margin of 1e-4 between its best prior and the next, every prior between
    its best object and the next, however an IoU may rightly be computed.
    """
    if len(boxes) == 0:
        return True
    corners = cxcywh_to_xyxy(priors.double())
    ious, least = box_iou(boxes, corners), box_iou(boxes, corners, SMOOTHING)
    claimed = ious.argmax(1)
    if len(set(claimed.tolist())) < len(boxes):
        return False
    if float(lead(ious, least, 1).min()) < 1e-4:
        return False
    if len(boxes) > 1:
        near = (lead(ious, least, 0) < 1e-4) & (ious.amax(0) > threshold - 1e-4)
        if bool(near.any()):
            return False
    return not bool(iou_in_doubt(boxes, corners, threshold, 1e-4).any())


def lead(most: Tensor, least: Tensor, dim: int) -> Tensor:
    """Return by how much the best IoU in each row or column beats the next one at least."""
    first, second = most.topk(2, dim=dim).indices.unbind(dim)
    best = least.gather(dim, first.unsqueeze(dim)).squeeze(dim)
    return best - most.gather(dim, second.unsqueeze(dim)).squeeze(dim)


def plain_boxes(
    rng: torch.Generator, count: int, priors: Tensor, least: float = 0.12, most: float = 0.6
) -> Tensor:
    """Return boxes that have only one right matching with some priors."""
    return chosen(lambda: random_boxes(rng, 1, least, most), count, priors)


def chosen(draw: Callable[[], Tensor], count: int, priors: Tensor) -> Tensor:
    """Gather boxes one by one, each such that all together have only one right matching.

    Raises:
        Undrawable: with these priors hardly any boxes are such.
    """
    boxes = torch.zeros(0, 4)
    for _ in draws():
        if len(boxes) == count:
            return boxes
        more = torch.cat([boxes, draw()])
        if is_plain(more, priors):
            boxes = more


def random_outputs(
    rng: torch.Generator, count: int, num_priors: int, num_classes: int
) -> tuple[Tensor, Tensor]:
    """Return offsets and logits as a network in the middle of its training has them.

    Most priors are sure of the background, some of an object, with right and wrong ones mixed, so
    that positives are often among the priors with the largest entropy.
    """
    offsets = 1.5 * torch.randn(count, num_priors, 4, generator=rng)
    logits = torch.randn(count, num_priors, num_classes, generator=rng)
    logits[..., 0] += 3 * torch.randn(count, num_priors, generator=rng) + 1
    return offsets, logits
