"""Time the course's MultiBox loss, detection and mAP against public peers on the same inputs.

    python benchmarks/detection.py [--rounds N]

What is compared, and how to read the table, stands in README.md beside this file.
"""

import os
from collections.abc import Iterable
from importlib.metadata import version
from typing import Annotated

import ledger
import torch
import typer
from contest import SIDE, Contest, Image, console, medians_of, random_boxes, random_labels, same
from mean_precision import PROGRAMS, precision_contests
from rich.table import Table
from torch import Tensor
from torchvision.models.detection import ssd300_vgg16
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import batched_nms, box_iou

from detlab.fast import detect, multibox_terms

SSD300 = 8732  # priors


# Priors


def corners_of(priors: Tensor) -> Tensor:
    """Return `cxcywh` priors as `xyxy`."""
    half = priors[:, 2:] / 2
    return torch.cat([priors[:, :2] - half, priors[:, :2] + half], 1)


def priors_of(model: torch.nn.Module, count: int) -> Tensor:
    """Return torchvision's own priors for an image of 300×300, or 400 of a grid of 10×10 cells.

    Returns:
        (count, 4) float32, `cxcywh` in fractions.
    """
    if count == SSD300:
        images = ImageList(torch.zeros(1, 3, SIDE, SIDE), [(SIDE, SIDE)])
        maps = [torch.zeros(1, 1, size, size) for size in (38, 19, 10, 5, 3, 1)]
        corners = model.anchor_generator(images, maps)[0] / SIDE
        return torch.cat(
            [(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], 1
        )
    centres = (torch.arange(10) + 0.5) / 10
    cells = torch.cartesian_prod(centres, centres).flip(1).repeat_interleave(4, 0)
    sides = torch.tensor([[0.2, 0.2], [0.3, 0.3], [0.3, 0.15], [0.15, 0.3]]).repeat(100, 1)
    return torch.cat([cells, sides], 1)


# The loss


def loss_contest(
    model: torch.nn.Module, batch: int, count: int, classes: int, goal: float
) -> Contest:
    """Compare the MultiBox loss, matching included, forward and backward."""
    rng = torch.Generator().manual_seed(batch)
    priors = priors_of(model, count)
    anchors = corners_of(priors)
    offsets = torch.randn(batch, count, 4, generator=rng).requires_grad_()
    logits = torch.randn(batch, count, classes, generator=rng)
    logits[..., 0] += 3 * torch.randn(batch, count, generator=rng) + 2
    logits.requires_grad_()
    counts = torch.randint(1, 8, (batch,), generator=rng).tolist()
    boxes = [random_boxes(rng, n) for n in counts]
    labels = [random_labels(rng, n, classes) for n in counts]
    targets = [{"boxes": b, "labels": c} for b, c in zip(boxes, labels, strict=True)]
    outputs = {"bbox_regression": offsets, "cls_logits": logits}

    def forget() -> None:
        offsets.grad = logits.grad = None

    def ours() -> dict[str, Tensor]:
        forget()
        terms = multibox_terms(offsets, logits, boxes, labels, priors)
        (terms["localization"] + terms["confidence"]).backward()
        return terms

    def torchvisions() -> dict[str, Tensor]:
        forget()
        # As in `SSD.forward`, where every image of these batches has objects.
        matched = [model.proposal_matcher(box_iou(one, anchors)) for one in boxes]
        terms = model.compute_loss(targets, outputs, [anchors] * batch, matched)
        (terms["bbox_regression"] + terms["classification"]).backward()
        return terms

    mine, theirs = ours(), torchvisions()
    same("confidence", mine["confidence"].item(), theirs["classification"].item())
    # torchvision adds the four numbers up, the course takes their mean.
    same("localization", 4 * mine["localization"].item(), theirs["bbox_regression"].item())
    name = f"loss, {batch} × {count} × {classes}"
    return Contest(name, goal, ours, {"torchvision": torchvisions})


# Detection


def trained_like(rng: torch.Generator, priors: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Return offsets and logits as a trained network answers for eight images of five objects.

    Priors that overlap an object know it, the more the surer; all others know the background.
    """
    offsets, logits = [], []
    for _ in range(8):
        boxes, labels = random_boxes(rng, 5), random_labels(rng, 5, classes)
        overlap, nearest = box_iou(corners_of(priors), boxes).max(1)
        answer = 0.7 * torch.randn(len(priors), classes, generator=rng)
        answer[:, 0] += 9
        answer[torch.arange(len(priors)), labels[nearest]] += 14 * overlap
        centres, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
        shifts = (centres[nearest] - priors[:, :2]) / (0.1 * priors[:, 2:])
        scales = torch.log(sides[nearest] / priors[:, 2:]) / 0.2
        noise = 0.5 * torch.randn(len(priors), 4, generator=rng)
        near = (overlap > 0.2).float()[:, None]
        offsets.append(near * torch.cat([shifts, scales], 1) + noise)
        logits.append(answer)
    return torch.stack(offsets), torch.stack(logits)


def detection_contest(model: torch.nn.Module, name: str, goal: float, trained: bool) -> Contest:
    """Compare what turns outputs of an SSD300 for eight images into detections.

    torchvision's own keeps 400 candidates of a class and cuts boxes to the image, so its result is
    another one; that of the version by `batched_nms` is the same.
    """
    rng = torch.Generator().manual_seed(5)
    priors = priors_of(model, SSD300)
    if trained:
        offsets, logits = trained_like(rng, priors, 21)
    else:
        offsets = 0.1 * torch.randn(8, SSD300, 4, generator=rng)
        logits = 0.1 * torch.randn(8, SSD300, 21, generator=rng)
    anchors = [corners_of(priors) * SIDE] * 8

    def ours() -> list[Image]:
        return detect(offsets, logits, priors, 0.01, 0.45, 200)

    @torch.no_grad()
    def torchvisions() -> list[Image]:
        outputs = {"bbox_regression": offsets, "cls_logits": logits}
        return model.postprocess_detections(outputs, anchors, [(SIDE, SIDE)] * 8)

    @torch.no_grad()
    def by_batched_nms() -> list[Image]:
        found = []
        for regression, scores in zip(offsets, logits.softmax(-1), strict=True):
            boxes = model.box_coder.decode_single(regression, anchors[0])
            places, labels = (scores[:, 1:] > 0.01).nonzero(as_tuple=True)
            boxes, values = boxes[places], scores[places, labels + 1]
            kept = batched_nms(boxes, values, labels, 0.45)[:200]
            found.append({"boxes": boxes[kept], "scores": values[kept], "labels": labels[kept] + 1})
        return found

    for mine, theirs in zip(ours(), by_batched_nms(), strict=True):
        same("detections", len(mine["scores"]), len(theirs["scores"]))
        same("scores", float(mine["scores"].sum()), float(theirs["scores"].sum()))
        same("boxes", SIDE * float(mine["boxes"].sum()), float(theirs["boxes"].sum()))
    peers = {"torchvision": torchvisions, "batched_nms": by_batched_nms}
    return Contest(name, goal, ours, peers)


# The table


def make_table(title: str, contests: Iterable[Contest], medians: list[dict[str, float]]) -> Table:
    """Show all programs' milliseconds, and how many times ours the others need."""
    table = Table(title=title)
    for column in ("", "program", "ms", "÷ detlab", "goal"):
        table.add_column(column, justify="left" if column in ("", "program") else "right")
    for contest, of in zip(contests, medians, strict=True):
        fastest = min(of[name] for name in contest.peers)
        for name, value in of.items():
            is_goal = name != "detlab" and value == fastest
            ratio = "" if name == "detlab" else f"{value / of['detlab']:.1f}"
            goal = f"≥ {contest.goal:g}" if is_goal else ""
            title = contest.name if name == "detlab" else ""
            table.add_row(title, name, f"{1000 * value:.2f}", ratio, goal)
        table.add_section()
    return table


def main(rounds: Annotated[int, typer.Option(min=3, help="turns of each program")] = 15) -> None:
    """Print a table of medians, and add the run to the ledger."""
    torch.set_num_threads(1)
    os.environ["RAYON_NUM_THREADS"] = "1"  # hotcoco's and ultrafast-pycocotools', before they start
    torch.manual_seed(0)
    model = ssd300_vgg16(weights=None, weights_backbone=None, num_classes=21).eval()
    contests = [
        loss_contest(model, 8, SSD300, 21, 1.8),
        loss_contest(model, 64, 400, 11, 4.0),
        detection_contest(model, "detection, trained-like, 8 images", 1.5, trained=True),
        detection_contest(model, "detection, untrained, 8 images", 1.5, trained=False),
        *precision_contests(),
    ]
    medians = [medians_of(contest, rounds) for contest in contests]
    title = f"processor time, ms, medians of {rounds}; one thread"
    console.print(make_table(title, contests, medians))
    names = ("torch", "torchvision", *PROGRAMS)
    console.print(", ".join(f"{name} {version(name)}" for name in names))
    pairs = list(zip(contests, medians, strict=True))
    ratios = {f"{c.name}: {name}": of[name] / of["detlab"] for c, of in pairs for name in c.peers}
    figures = {f"{c.name}: {name}": value for c, of in pairs for name, value in of.items()}
    ledger.append("detection", rounds, ratios, figures)


if __name__ == "__main__":
    typer.run(main)
