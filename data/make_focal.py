"""Make the answers of a small detector that week 5's pictures show. Staff run this once.

    uv run python data/make_focal.py

It trains the reference of task 5.7 with the focal loss on the course's scenes, a minute's work,
and writes the file that `detlab.focal_plots` reads. It prints the checksum that this and
`data/README.md` must hold. Another version of torch may make other numbers.
"""

import hashlib

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from detcourse.scene_sets import standardised
from detgrader.course import Course
from detgrader.reference import load_reference
from detlab.focal_plots import FOCAL
from detlab.scenes import Scenes, load_scenes

WEEK = "week5_focal_loss"
TRAINED_ON, EPOCHS, BATCH_SIZE, SHOWN = 3200, 3, 32, 48
SEED = 5


def collate(items: list[tuple[Tensor, Tensor, Tensor]]) -> Scenes:
    """Stack the images of a batch, each of mean 0 and deviation 1."""
    images, boxes, labels = zip(*items, strict=True)
    images = standardised((255 * torch.stack(images)).round().to(torch.uint8))
    return images, list(boxes), list(labels)


def main() -> None:
    """Train, and write what the network answers before and after."""
    reference = load_reference(Course.find(), WEEK)
    torch.manual_seed(SEED)
    scenes = list(zip(*load_scenes("train"), strict=True))[:TRAINED_ON]
    loader = DataLoader(scenes, BATCH_SIZE, shuffle=True, collate_fn=collate, drop_last=True)
    fresh = nn.Sequential(reference.small_backbone(), reference.SSDHead(64, 11, width=64)).eval()
    trained = reference.train_detector(loader, EPOCHS, "focal").eval()
    shown = [part[:SHOWN] for part in load_scenes("validation")]
    images, boxes, labels = collate(list(zip(*shown, strict=True)))
    anchors, cells = reference.make_anchors()
    matches = [reference.match_anchors(*one, anchors) for one in zip(boxes, labels, strict=True)]
    with torch.no_grad():
        before, (activations, logits) = fresh(images)[1], trained(images)
    found = reference.detect(activations, logits, anchors, cells)
    arrays = {
        "classes": torch.stack([classes for classes, _ in matches]).to(torch.uint8),
        "objects": torch.stack([objects for _, objects in matches]).to(torch.uint8),
        "fresh_logits": before.half(),
        "logits": logits.half(),
        "counts": torch.tensor([len(one["labels"]) for one in found]).to(torch.uint8),
        "boxes": torch.cat([one["boxes"] for one in found]),
        "labels": torch.cat([one["labels"] for one in found]).to(torch.uint8),
        "scores": torch.cat([one["scores"] for one in found]),
        "unfiltered": torch.cat(
            [
                unfiltered(one, of_image)
                for one, of_image in zip(found, logits.sigmoid(), strict=True)
            ]
        ),
    }
    np.savez_compressed(FOCAL, **{name: one.numpy() for name, one in arrays.items()})
    print(hashlib.sha256(FOCAL.read_bytes()).hexdigest(), FOCAL)


def unfiltered(found: dict[str, Tensor], scores: Tensor) -> Tensor:
    """Return the scores that a display shows which pairs unfiltered ones with filtered boxes.

    Class by class the n-th box that remains gets the n-th score above the threshold, in the order
    of the anchors.
    """
    wrong = torch.zeros(len(found["labels"]))
    for label in found["labels"].unique().tolist():
        mine = (found["labels"] == label).nonzero()[:, 0]
        above = scores[:, label]
        wrong[mine] = above[above > 0.25][: len(mine)]
    return wrong


if __name__ == "__main__":
    main()
