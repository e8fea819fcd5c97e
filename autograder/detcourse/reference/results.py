"""What the training of a reference is measured by, and what it leaves behind."""

import csv
import json
from dataclasses import asdict
from pathlib import Path

import torch
from rich.console import Console
from torch import nn
from torch.utils.data import DataLoader

from detcourse.reference.data import Transformed, collate
from detcourse.reference.recipes import Recipe
from detcourse.reference.subjects import Subject
from detgrader.files import write_json
from detlab.metrics import DetectionResult, mean_average_precision

SHOWN, SURE = 6, 0.4  # images in the picture of detections, and the least score there


@torch.no_grad()
def answers(net: nn.Module, dataset: Transformed, subject: Subject) -> tuple[list, list]:
    """Detect in every image of a set, in single precision.

    Returns:
        Detections, and truths with "difficult" as metrics take them.
    """
    net.eval()
    device = next(net.parameters()).device
    found, truths = [], []
    for images, targets in DataLoader(dataset, 8, collate_fn=collate, num_workers=1):
        images = images.to(device, memory_format=torch.channels_last)
        offsets, logits = (part.float().cpu() for part in net(images))
        found += subject.detect((offsets, logits))
        truths += targets
    return found, truths


def finish(
    subject: Subject,
    net: nn.Module,
    recipe: Recipe,
    done: dict[str, int],
    dataset: Transformed,
    names: tuple[str, ...],
    out: Path,
) -> None:
    """Measure a trained network on the test images; write weights, results and pictures.

    Args:
        done: epochs and iterations.
    """
    from detlab.detection_plots import draw_detections, draw_training

    subject.save(net, names, out / f"{subject.week}.safetensors")
    found, truths = answers(net, dataset, subject)
    result = mean_average_precision(found, truths, interpolation=recipe.interpolation)
    write_results(result, recipe, done, names, out)
    shown = range(min(SHOWN, len(dataset)))
    images, confident = [dataset[n][0] for n in shown], []
    for n in shown:
        sure = found[n]["scores"] > SURE
        confident.append({key: values[sure] for key, values in found[n].items()})
    pictures = {
        "detections": draw_detections(images, truths, confident, columns=3, names=names),
        "curves": draw_training(out / "log.csv"),
    }
    for name, picture in pictures.items():
        picture.savefig(out / f"{name}.png", dpi=110)


def write_results(
    result: DetectionResult,
    recipe: Recipe,
    done: dict[str, int],
    names: tuple[str, ...],
    out: Path,
) -> None:
    """Write what was measured."""
    with open(out / "log.csv", encoding="utf-8") as file:
        seconds = sum(float(row["seconds"]) for row in csv.DictReader(file))
    content = {
        "mAP": round(result.mean, 4),
        "AP": {
            names[label - 1]: round(one.average_precision, 4)
            for label, one in result.per_class.items()
        },
        "recipe": asdict(recipe),
        **done,
        "seconds": round(seconds),
        "torch": torch.__version__,
    }
    write_json(out / "results.json", content)


def summarise(console: Console, out: Path, names: tuple[str, ...]) -> None:
    """Tell what came out."""
    content = json.loads((out / "results.json").read_text("utf-8"))
    of_classes = ", ".join(f"{name} {value:.3f}" for name, value in content["AP"].items())
    console.print(f"mAP {content['mAP']:.3f} ({of_classes}), in {out}", soft_wrap=True)
