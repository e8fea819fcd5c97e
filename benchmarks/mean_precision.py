"""The contests in mean average precision at IoU 0.5: from the course's tensors, and as arrays.

Each peer is given what it reads fastest; all but torchmetrics evaluate as pycocotools does.
"""

import contextlib
import functools
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import faster_coco_eval
import hotcoco
import numpy as np
import pycocotools.coco
import pycocotools.cocoeval
import torch
import ultrafast_pycocotools
from contest import Contest, Image, random_boxes, random_labels, same
from torchmetrics.detection import MeanAveragePrecision

from detlab.box_table import table_of_detections, table_of_truths
from detlab.metrics import mean_average_precision, measure_tables

IMAGES, CLASSES = 500, 20
GOAL = 1.0  # ahead of the fastest
Pair = tuple[Any, Any]  # a program's own form of truths, and of detections
PROGRAMS = ("pycocotools", "faster-coco-eval", "hotcoco", "ultrafast-pycocotools", "torchmetrics")


def make_images() -> tuple[list[Image], list[Image]]:
    """Return images with ten detections each, and their truths, in pixels."""
    rng = torch.Generator().manual_seed(7)
    detections, truths = [], []
    for _ in range(IMAGES):
        # Objects of different classes: where two of one class overlap, COCO lets a detection take
        # the second best, and VOC, which the course follows, does not.
        boxes, labels = random_boxes(rng, 5), 1 + torch.randperm(CLASSES, generator=rng)[:5]
        again = torch.randint(5, (10,), generator=rng)
        moved = boxes[again] + 0.03 * torch.randn(10, 4, generator=rng)
        moved[:, 2:] = torch.maximum(moved[:, 2:], moved[:, :2] + 0.01)
        confused = torch.rand(10, generator=rng) < 0.2
        names = torch.where(confused, random_labels(rng, 10, CLASSES + 1), labels[again])
        scores = torch.rand(10, generator=rng)
        truths.append({"boxes": 100 * boxes, "labels": labels})
        detections.append({"boxes": 100 * moved, "labels": names, "scores": scores})
    return detections, truths


# What COCO's evaluators read


def columns_of(images: list[Image]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return of all boxes the number of the image, the label, and (n, 4) float64 `xywh`."""
    counts = torch.tensor([len(image["labels"]) for image in images])
    boxes = torch.cat([image["boxes"] for image in images]).double()
    boxes[:, 2:] -= boxes[:, :2]
    numbers = torch.arange(len(images)).repeat_interleave(counts)
    labels = torch.cat([image["labels"] for image in images])
    return numbers.numpy(), labels.numpy(), boxes.numpy()


def results_array(detections: list[Image]) -> np.ndarray:
    """Write detections as COCO's array of results: image, `xywh`, score, label in (n, 7)."""
    numbers, labels, boxes = columns_of(detections)
    scores = torch.cat([image["scores"] for image in detections]).numpy()
    return np.column_stack([numbers, boxes, scores, labels])


def results_list(detections: list[Image]) -> list[dict[str, Any]]:
    """Write detections as COCO's list of results."""
    scores = torch.cat([image["scores"] for image in detections])
    columns = (*columns_of(detections), scores)
    return [
        {"image_id": number, "category_id": label, "bbox": box, "score": score}
        for number, label, box, score in zip(*(one.tolist() for one in columns), strict=True)
    ]


def dataset(truths: list[Image]) -> dict[str, Any]:
    """Write truths as COCO's data set."""
    rows = zip(*(one.tolist() for one in columns_of(truths)), strict=True)
    annotations = [
        {"id": n, "image_id": number, "category_id": label, "bbox": box, "iscrowd": 0}
        | {"area": box[2] * box[3]}
        for n, (number, label, box) in enumerate(rows, 1)
    ]
    return {"annotations": annotations, **names_of_things()}


def names_of_things() -> dict[str, list[dict[str, Any]]]:
    """Return the images and categories of COCO's data set."""
    return {
        "images": [{"id": number} for number in range(IMAGES)],
        "categories": [{"id": label, "name": str(label)} for label in range(1, CLASSES + 1)],
    }


# The programs


@dataclass(frozen=True)
class Peer:
    """An evaluator that works as pycocotools does.

    Attributes:
        convert: turns truths and detections into its own form, the quickest way that it has.
        evaluator: its `COCOeval`.
    """

    convert: Callable[[list[Image], list[Image]], Pair]
    evaluator: Callable[..., Any]

    def evaluate(self, pair: Pair) -> float:
        """Return the mean of its precisions at IoU 0.5."""
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation = self.evaluator(*pair, "bbox")
            evaluation.params.iouThrs = np.array([0.5])
            evaluation.params.areaRng = [[0, 1e10]]
            evaluation.params.areaRngLbl = ["all"]
            evaluation.params.maxDets = [100]
            evaluation.evaluate()
            evaluation.accumulate()
        precision = np.asarray(evaluation.eval["precision"])
        return float(precision[precision > -1].mean())

    def from_tensors(self, truths: list[Image], detections: list[Image]) -> float:
        """Convert, and evaluate."""
        return self.evaluate(self.converted(truths, detections))

    def converted(self, truths: list[Image], detections: list[Image]) -> Pair:
        """Convert, in silence."""
        with contextlib.redirect_stdout(io.StringIO()):
            return self.convert(truths, detections)


def for_pycocotools(truths: list[Image], detections: list[Image]) -> Pair:
    """Make pycocotools' own of both; it reads dicts faster than arrays."""
    true = pycocotools.coco.COCO()
    true.dataset = dataset(truths)
    true.createIndex()
    return true, true.loadRes(results_list(detections))


def for_faster(truths: list[Image], detections: list[Image]) -> Pair:
    """Make faster-coco-eval's own of both; it reads dicts faster than arrays."""
    true = faster_coco_eval.COCO(dataset(truths))
    return true, true.loadRes(results_list(detections))


def for_hotcoco(truths: list[Image], detections: list[Image]) -> Pair:
    """Make hotcoco's own of both, from arrays."""
    true = hotcoco.COCO.from_arrays(*names_of_things().values(), *columns_of(truths))
    return true, true.load_res(results_array(detections))


def for_ultrafast(truths: list[Image], detections: list[Image]) -> Pair:
    """Make ultrafast-pycocotools' own of both; it takes arrays for detections only."""
    true = ultrafast_pycocotools.COCO(dataset(truths), verbose=False)
    return true, true.loadRes(results_array(detections))


PEERS = {
    "pycocotools": Peer(for_pycocotools, pycocotools.cocoeval.COCOeval),
    "faster-coco-eval": Peer(for_faster, faster_coco_eval.COCOeval_faster),
    "hotcoco": Peer(for_hotcoco, hotcoco.COCOeval),
    "ultrafast-pycocotools": Peer(for_ultrafast, ultrafast_pycocotools.COCOeval),
}


def by_torchmetrics(truths: list[Image], detections: list[Image]) -> float:
    """Return torchmetrics' mean average precision, by its faster backend."""
    metric = MeanAveragePrecision(iou_thresholds=[0.5], backend="faster_coco_eval")
    metric.update(detections, truths)
    return float(metric.compute()["map"])


def at_101_recalls(truths: list[Image], detections: list[Image]) -> float:
    """Return the mean of the interpolated precision at recalls 0, 0.01, …, 1, as COCO has it."""
    means = []
    for one in mean_average_precision(detections, truths).per_class.values():
        highest = np.maximum.accumulate(one.precision[::-1])[::-1]
        places = np.searchsorted(one.recall, np.linspace(0, 1, 101), side="left")
        means.append(np.append(highest, 0.0)[places].mean())
    return float(np.mean(means))


# The contests


def precision_contests() -> list[Contest]:
    """Compare what is measured from the tensors of each image, and from what each program holds."""
    detections, truths = make_images()
    tables = table_of_detections(detections), table_of_truths(truths)
    tensors = {
        name: functools.partial(peer.from_tensors, truths, detections)
        for name, peer in PEERS.items()
    }
    tensors["torchmetrics"] = functools.partial(by_torchmetrics, truths, detections)
    arrays = {
        name: functools.partial(peer.evaluate, peer.converted(truths, detections))
        for name, peer in PEERS.items()
    }
    value = at_101_recalls(truths, detections)
    for name, program in [*tensors.items(), *arrays.items()]:
        # torchmetrics' 101 recalls are float32: some lie above the recall that they should meet.
        same(f"mAP, {name}", value, program(), 1e-4 if name == "torchmetrics" else 1e-6)
    ours = functools.partial(mean_average_precision, detections, truths)
    return [
        Contest("mAP from tensors", GOAL, ours, tensors),
        Contest("mAP as arrays", GOAL, functools.partial(measure_tables, *tables), arrays),
    ]
