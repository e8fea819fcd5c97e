"""Time the course's MultiBox loss, detection and mAP against public peers on the same inputs.

    python benchmarks/detection.py [--rounds N]

What is compared, and how to read the table, stands in README.md beside this file.
"""

import contextlib
import functools
import io
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated

import numpy as np
import torch
import typer
from faster_coco_eval import COCO as FasterCOCO
from faster_coco_eval import COCOeval_faster
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torchmetrics.detection import MeanAveragePrecision
from torchvision.models.detection import ssd300_vgg16
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import batched_nms, box_iou

from detlab.fast import detect, multibox_terms
from detlab.metrics import mean_average_precision

SIDE = 300  # pixels; torchvision works in them
SSD300 = 8732  # priors
console = Console(width=max(110, Console().width))
Image = dict[str, Tensor]


@dataclass(frozen=True)
class Contest:
    """One thing that several programs do.

    Attributes:
        name: of the thing.
        goal: how many times the seconds of ours the fastest peer should need.
        ours: the course's own.
        peers: the others, by name.
    """

    name: str
    goal: float
    ours: Callable[[], object]
    peers: dict[str, Callable[[], object]]


def processor_ms(function: Callable[[], object]) -> float:
    """Return the processor time of one call, in milliseconds."""
    start = time.process_time()
    function()
    return 1000 * (time.process_time() - start)


def same(name: str, ours: float, other: float, tolerance: float = 1e-3) -> None:
    """Stop the benchmark where two programs do not compute the same."""
    if abs(ours - other) > tolerance * (1 + abs(other)):
        raise SystemExit(f"{name}: {ours:.6f} here, {other:.6f} there; nothing to compare")


# Inputs


def random_boxes(rng: torch.Generator, count: int) -> Tensor:
    """Return `xyxy` boxes in fractions, sides from 0.1 to 0.5."""
    sides = 0.1 + 0.4 * torch.rand(count, 2, generator=rng)
    corners = (1 - sides) * torch.rand(count, 2, generator=rng)
    return torch.cat([corners, corners + sides], 1)


def random_labels(rng: torch.Generator, count: int, classes: int) -> Tensor:
    """Return labels from 1 to classes - 1."""
    return torch.randint(1, classes, (count,), generator=rng)


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


# Mean average precision


def map_inputs() -> tuple[list[Image], list[Image]]:
    """Return 500 images with ten detections each, and their truths, of 20 classes."""
    rng = torch.Generator().manual_seed(7)
    detections, truths = [], []
    for _ in range(500):
        # Objects of different classes: where two of one class overlap, COCO lets a detection take
        # the second best, and VOC, which the course follows, does not.
        boxes, labels = random_boxes(rng, 5), 1 + torch.randperm(20, generator=rng)[:5]
        again = torch.randint(5, (10,), generator=rng)
        moved = boxes[again] + 0.03 * torch.randn(10, 4, generator=rng)
        moved[:, 2:] = torch.maximum(moved[:, 2:], moved[:, :2] + 0.01)
        confused = torch.rand(10, generator=rng) < 0.2
        names = torch.where(confused, random_labels(rng, 10, 21), labels[again])
        scores = torch.rand(10, generator=rng)
        truths.append({"boxes": 100 * boxes, "labels": labels})
        detections.append({"boxes": 100 * moved, "labels": names, "scores": scores})
    return detections, truths


def in_coco_form(images: list[Image]) -> list[dict[str, object]]:
    """Write boxes as COCO's annotations or results."""
    rows: list[dict[str, object]] = []
    for number, image in enumerate(images):
        scores = image.get("scores", torch.ones(len(image["boxes"]))).tolist()
        for box, label, score in zip(
            image["boxes"].double().tolist(), image["labels"].tolist(), scores, strict=True
        ):
            x, y, right, bottom = box
            width, height = right - x, bottom - y
            row = {"image_id": number, "category_id": label, "bbox": [x, y, width, height]}
            row |= {"area": width * height, "iscrowd": 0, "id": len(rows) + 1}
            rows.append(row | ({"score": score} if "scores" in image else {}))
    return rows


def coco_evaluation(
    make_coco: Callable[[dict], object], evaluator: type, truths: list[dict], found: list[dict]
) -> Callable[[], float]:
    """Prepare COCO's evaluation at IoU 0.5; what is returned evaluates and accumulates only."""
    categories = [{"id": label} for label in range(1, 21)]
    images = [{"id": number} for number in range(500)]
    gold = {"images": images, "annotations": truths, "categories": categories}
    with contextlib.redirect_stdout(io.StringIO()):
        true = make_coco(gold)
        results = true.loadRes(found)

    def evaluate() -> float:
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation = evaluator(true, results, "bbox")
            evaluation.params.iouThrs = np.array([0.5])
            evaluation.params.areaRng = [[0, 1e10]]
            evaluation.params.areaRngLbl = ["all"]
            evaluation.params.maxDets = [100]
            evaluation.evaluate()
            evaluation.accumulate()
        precision = evaluation.eval["precision"]
        return float(precision[precision > -1].mean())

    return evaluate


def pycoco(gold: dict) -> COCO:
    """Make pycocotools' object of annotations in memory."""
    coco = COCO()
    coco.dataset = gold
    coco.createIndex()
    return coco


def at_101_recalls(detections: list[Image], truths: list[Image]) -> float:
    """Return the mean of the interpolated precision at recalls 0, 0.01, …, 1, as COCO has it."""
    means = []
    for one in mean_average_precision(detections, truths).per_class.values():
        highest = np.maximum.accumulate(one.precision[::-1])[::-1]
        places = np.searchsorted(one.recall, np.linspace(0, 1, 101), side="left")
        means.append(np.append(highest, 0.0)[places].mean())
    return float(np.mean(means))


def map_contest() -> Contest:
    """Compare the mean average precision at IoU 0.5."""
    detections, truths = map_inputs()
    gold, found = in_coco_form(truths), in_coco_form(detections)
    by_pycocotools = coco_evaluation(pycoco, COCOeval, gold, found)
    by_faster = coco_evaluation(FasterCOCO, COCOeval_faster, gold, found)

    def by_torchmetrics() -> float:
        metric = MeanAveragePrecision(iou_thresholds=[0.5], backend="faster_coco_eval")
        metric.update(detections, truths)
        return float(metric.compute()["map"])

    value = at_101_recalls(detections, truths)
    same("mAP, pycocotools", value, by_pycocotools(), 1e-6)
    same("mAP, faster-coco-eval", value, by_faster(), 1e-6)
    # Its 101 recalls are float32, and some lie above the recall that they should meet.
    same("mAP, torchmetrics", value, by_torchmetrics(), 1e-4)
    peers = {
        "pycocotools": by_pycocotools,
        "faster-coco-eval": by_faster,
        "torchmetrics": by_torchmetrics,
    }
    ours = functools.partial(mean_average_precision, detections, truths)
    return Contest("mAP, 500 images × 10", 8.0, ours, peers)


# The contest


def take_turns(contest: Contest, rounds: int) -> dict[str, list[float]]:
    """Time all programs of a contest, one after another, so many times."""
    programs = {"detlab": contest.ours, **contest.peers}
    for program in programs.values():
        program()
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            times[name].append(processor_ms(program))
    return times


def main(rounds: Annotated[int, typer.Option(min=3, help="turns of each program")] = 15) -> None:
    """Print a table of medians."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = ssd300_vgg16(weights=None, weights_backbone=None, num_classes=21).eval()
    contests = [
        loss_contest(model, 8, SSD300, 21, 1.8),
        loss_contest(model, 64, 400, 11, 4.0),
        detection_contest(model, "detection, trained-like, 8 images", 1.5, trained=True),
        detection_contest(model, "detection, untrained, 8 images", 1.5, trained=False),
        map_contest(),
    ]
    table = Table(title=f"processor time, ms, medians of {rounds}; one thread")
    for column in ("", "program", "ms", "÷ detlab", "goal"):
        table.add_column(column, justify="left" if column in ("", "program") else "right")
    for contest in contests:
        medians = {k: statistics.median(v) for k, v in take_turns(contest, rounds).items()}
        fastest = min(medians[name] for name in contest.peers)
        for name, value in medians.items():
            is_goal = name != "detlab" and value == fastest
            ratio = "" if name == "detlab" else f"{value / medians['detlab']:.1f}"
            goal = f"≥ {contest.goal:g}" if is_goal else ""
            title = contest.name if name == "detlab" else ""
            table.add_row(title, name, f"{value:.2f}", ratio, goal)
        table.add_section()
    console.print(table)
    names = ("torch", "torchvision", "pycocotools", "faster-coco-eval", "torchmetrics")
    console.print(", ".join(f"{name} {version(name)}" for name in names))


if __name__ == "__main__":
    typer.run(main)
