"""Make the answers of a small SSD that week 3's pictures show. Staff run this once.

    uv run python data/make_ssd.py

It trains the reference of week 3 on the course's scenes, a minute's work, and writes the file that
`detlab.ssd_answers` reads. It prints the checksum that this and `data/README.md` must hold. Another
version of torch may make other numbers.
"""

import hashlib

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from detcourse.scene_sets import standardised
from detgrader.course import Course
from detgrader.reference import load_reference
from detlab import fast
from detlab.scenes import load_scenes
from detlab.ssd_answers import SSD_ANSWERS

WEEK = "week3_mnist_ssd"
STEPS, EARLY, BATCH_SIZE, SHOWN = 375, 60, 32, 32
SEED = 3
LEAST = {"early": 0.3, "trained": 0.05}  # scores of the boxes that are kept


def images_of(images: Tensor) -> Tensor:
    """Give each image of (N, 1, 32, 32) mean 0 and deviation 1."""
    return standardised((255 * images).round().to(torch.uint8))


def entropies(net: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    """Return what each prior's class costs in training mode, (N, P) float16."""
    with torch.no_grad():
        logits = net.train()(images)[1]
    return F.cross_entropy(logits.movedim(-1, 1), classes, reduction="none").half()


def candidates(net: nn.Module, images: Tensor, least: float) -> dict[str, Tensor]:
    """Return the boxes of all classes with more than the least score, before any suppression."""
    with torch.no_grad():
        offsets, logits, _ = net.eval()(images)
    found = fast.detect(offsets, logits, net.priors, least, iou_threshold=1.0, top_k=100_000)
    return {
        "counts": torch.tensor([len(one["labels"]) for one in found]).to(torch.uint16),
        "boxes": torch.cat([one["boxes"] for one in found]),
        "labels": torch.cat([one["labels"] for one in found]).to(torch.uint8),
        "scores": torch.cat([one["scores"] for one in found]),
    }


def main() -> None:
    """Train, and write what the network answers before, early and after."""
    reference = load_reference(Course.find(), WEEK)
    torch.manual_seed(SEED)
    scenes, boxes, labels = load_scenes("train")
    scenes = images_of(scenes)
    shown, *truth = (part[:SHOWN] for part in load_scenes("validation"))
    shown = images_of(shown)
    net = reference.SSD(11)
    matches = [reference.match_priors(*one, net.priors) for one in zip(*truth, strict=True)]
    classes = torch.stack([one for one, _ in matches])
    arrays = {
        "priors": net.priors,
        "classes": classes.to(torch.uint8),
        "objects": torch.stack([one for _, one in matches]).to(torch.uint8),
        "fresh_entropies": entropies(net, shown, classes),
    }
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=STEPS)
    rows = torch.cat([torch.randperm(len(scenes)) for _ in range(3)]).split(BATCH_SIZE)
    for step, chosen in enumerate(rows[:STEPS], 1):
        offsets, logits, _ = net.train()(scenes[chosen])
        of_batch = ([values[n] for n in chosen.tolist()] for values in (boxes, labels))
        terms = fast.multibox_terms(offsets, logits, *of_batch, net.priors)
        optimizer.zero_grad()
        (terms["localization"] + terms["confidence"]).backward()
        optimizer.step()
        schedule.step()
        if step in (EARLY, STEPS):
            name = "early" if step == EARLY else "trained"
            found = candidates(net, shown, LEAST[name])
            arrays |= {f"{name}_{key}": values for key, values in found.items()}
            print(step, {k: round(v.item(), 3) for k, v in terms.items()}, flush=True)
    arrays["trained_entropies"] = entropies(net, shown, classes)
    np.savez_compressed(SSD_ANSWERS, **{name: one.numpy() for name, one in arrays.items()})
    print(hashlib.sha256(SSD_ANSWERS.read_bytes()).hexdigest(), SSD_ANSWERS)


if __name__ == "__main__":
    main()
