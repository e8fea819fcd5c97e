"""Train the reference of week 4 or 5 for real: on blood cells, on Pascal VOC, or on digits.

One process, or several under torchrun; stopped, it goes on where its last checkpoint was written.
"""

import csv
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from pickle import UnpicklingError
from types import ModuleType

import torch
import torch.distributed as dist
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR
from torch.utils.data import DataLoader
from torch.utils.data.distributed import DistributedSampler

from detcourse.reference.data import (
    Transformed,
    collate,
    gentle,
    read_sets,
)
from detcourse.reference.recipes import WEEK, Recipe
from detcourse.reference.results import finish, summarise
from detcourse.reference.subjects import Subject, subject_of
from detgrader.course import Course, CourseError
from detgrader.files import write_json
from detlab.half import has_fast_half

SEED = 7
COLUMNS = ("epoch", "iteration", "rate", "localization", "confidence", "seconds")


@dataclass
class Run:
    """A training in progress: its parts, and how far it is.

    Attributes:
        net: the reference's network, on its device.
        optimizer: of its parameters.
        schedule: stepped after each iteration.
        epoch: passes that are done.
        iteration: steps that are done.
    """

    net: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: LRScheduler
    epoch: int = 0
    iteration: int = 0


@dataclass(frozen=True)
class Place:
    """Where this process computes: its device, its rank, and how many there are."""

    device: torch.device
    rank: int
    count: int

    @property
    def leads(self) -> bool:
        """Whether this process writes and talks."""
        return self.rank == 0


@contextmanager
def placed() -> Iterator[Place]:
    """Join the processes that torchrun started, or be alone."""
    count, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if cuda else "cpu"
    if cuda:
        torch.cuda.set_device(device)
    if count > 1:
        dist.init_process_group("nccl" if cuda else "gloo")
    try:
        yield Place(torch.device(device), rank, count)
    finally:
        if count > 1:
            dist.destroy_process_group()


def train_reference(
    course: Course,
    data: str,
    weights: Path | None,
    out: Path,
    console: Console,
    epochs: int | None = None,
    week: str = WEEK,
) -> None:
    """Train, measure, and write what came out into a folder.

    Args:
        course: with the reference.
        data: a key of the week's recipes.
        weights: file with the weights of the network's classifier, or None for torchvision's.
        out: gets `last.pt` (to go on with), `log.csv`, `curves.png`, and in the end
            `WEEK.safetensors`, `results.json` and `detections.png`.
        console: for the progress bar.
        epochs: passes; by default as many as the recipe says.
        week: whose reference.

    Raises:
        CourseError: data or weights cannot be had, or `out` holds another training.
    """
    if weights is not None and not weights.is_file():
        raise CourseError(f"{weights}: there is no such file")
    subject = subject_of(course, week)
    if data not in subject.recipes:
        raise CourseError(f"there is no set {data!r}; known: {', '.join(subject.recipes)}")
    recipe, pipeline = subject.recipes[data], subject.pipeline
    train_set, test_set, names = read_sets(data)
    with placed() as place:
        if place.count > 1 and recipe.batch_size % place.count:
            raise CourseError(
                f"batches of {recipe.batch_size} images cannot be shared by {place.count} processes"
            )
        torch.manual_seed(SEED)
        out.mkdir(parents=True, exist_ok=True)
        total = epochs or recipe.epochs
        run = begin(
            subject, recipe, weights, len(names) + 1, total * steps(train_set, recipe), place
        )
        last = out / "last.pt"
        purpose = (
            {"week": week, "data": data, "processes": place.count}
            | asdict(recipe)
            | {"epochs": total}
        )
        if is_there(last, place):
            resume(pipeline, run, last, purpose)
            run.epoch = run.iteration // steps(train_set, recipe)
        elif place.leads:
            write_json(last.with_suffix(".json"), purpose)
        if place.leads:
            begin_log(out / "log.csv", run.epoch)
        net = DistributedDataParallel(run.net) if place.count > 1 else run.net
        transform = gentle(pipeline) if recipe.one_scale else pipeline.transform
        dataset = Transformed(train_set, transform, SEED)
        with bar(console, place, total * steps(train_set, recipe), run.iteration) as advance:
            while run.epoch < total:
                row = one_epoch(subject, run, net, recipe, dataset, place, advance)
                if place.leads:
                    write_checkpoint(pipeline, run, last)
                    append_row(out / "log.csv", row)
        if place.leads:
            done = {"epochs": run.epoch, "iterations": run.iteration}
            test = Transformed(test_set, pipeline.transform)
            finish(subject, run.net, recipe, done, test, names, out)
            summarise(console, out, names)


def steps(images, recipe: Recipe) -> int:
    """Return the steps of an epoch; images that do not fill a batch wait for the next one."""
    count = len(images) // recipe.batch_size
    if count == 0:
        raise CourseError(f"{len(images)} images do not fill a batch of {recipe.batch_size}")
    return count


def begin(
    subject: Subject,
    recipe: Recipe,
    weights: Path | None,
    num_classes: int,
    total_steps: int,
    place: Place,
) -> Run:
    """Make the network, its optimizer and its schedule."""
    net = subject.network(weights, num_classes, recipe)
    net = net.to(place.device, memory_format=torch.channels_last)
    if recipe.rate is None:
        optimizer = subject.pipeline.make_optimizer(net)
        return Run(net, optimizer, subject.pipeline.make_schedule(optimizer))
    learned = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learned, recipe.rate, weight_decay=recipe.weight_decay)
    return Run(net, optimizer, OneCycleLR(optimizer, recipe.rate, total_steps=total_steps))


def one_epoch(
    subject: Subject,
    run: Run,
    net: nn.Module,
    recipe: Recipe,
    dataset: Transformed,
    place: Place,
    advance: Callable[[str], None],
) -> dict[str, float]:
    """Pass over the images once.

    With several processes each divides its loss by the positives of its own share of a batch.

    Args:
        net: the network of the run, or what shares its gradients with other processes.

    Returns:
        A row of the log: with several processes, of the first one's share.
    """
    start = time.monotonic()
    dataset.epoch = run.epoch
    sampler = DistributedSampler(dataset, place.count, place.rank, seed=SEED, drop_last=True)
    sampler.set_epoch(run.epoch)
    loader = DataLoader(
        dataset,
        recipe.batch_size // place.count,
        sampler=sampler,
        collate_fn=collate,
        drop_last=True,
        num_workers=loading_processes(place),
    )
    half = place.device.type == "cuda" or has_fast_half()
    sums = {"localization": 0.0, "confidence": 0.0}
    run.net.train()
    for images, targets in loader:
        images = images.to(place.device, memory_format=torch.channels_last)
        boxes, labels = ([t[key].to(place.device) for t in targets] for key in ("boxes", "labels"))
        with torch.autocast(place.device.type, torch.bfloat16, enabled=half):
            offsets, logits = net(images)
        terms = subject.terms((offsets.float(), logits.float()), boxes, labels)
        loss = recipe.localization * terms["localization"] + terms["confidence"]
        if not bool(torch.isfinite(loss)):
            raise CourseError(f"the loss is {loss.item()} at iteration {run.iteration + 1}")
        run.optimizer.zero_grad()
        loss.backward()
        run.optimizer.step()
        run.schedule.step()
        run.iteration += 1
        for name, term in terms.items():
            sums[name] += term.item()
        advance(f"epoch {run.epoch + 1}, loss {loss.item():.2f}")
    run.epoch += 1
    means = {name: round(value / len(loader), 4) for name, value in sums.items()}
    rate = run.optimizer.param_groups[-1]["lr"]
    seconds = round(time.monotonic() - start, 1)
    progress = {"epoch": run.epoch, "iteration": run.iteration, "rate": f"{rate:.2e}"}
    return progress | means | {"seconds": seconds}


def loading_processes(place: Place) -> int:
    """Return how many processes load images: on a processor, training needs the cores itself."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    return max(1, min(8, cores // place.count - 1)) if place.device.type == "cuda" else 1


def write_checkpoint(pipeline: ModuleType, run: Run, path: Path) -> None:
    """Write a checkpoint aside and give it its name when it is whole."""
    aside = path.with_suffix(".new")
    with open(aside, "wb") as file:
        pipeline.save_checkpoint(file, run.net, run.optimizer, run.schedule, run.iteration)
    aside.replace(path)


def is_there(path: Path, place: Place) -> bool:
    """Tell whether there is a checkpoint; processes, on whatever machine, must agree."""
    found = [path.is_file()] * place.count
    if place.count > 1:
        dist.all_gather_object(found, path.is_file())
    if len(set(found)) > 1:
        raise CourseError(f"{path.parent} must be a folder that all processes see")
    return found[0]


def resume(pipeline: ModuleType, run: Run, path: Path, purpose: dict) -> None:
    """Go on from a checkpoint of the same training."""
    try:
        noted = json.loads(path.with_suffix(".json").read_text("utf-8"))
        if noted != purpose:
            raise CourseError(f"{path} is of another training ({noted}): choose another --out")
        with open(path, "rb") as file:
            run.iteration = pipeline.load_checkpoint(file, run.net, run.optimizer, run.schedule)
    except (OSError, EOFError, ValueError, KeyError, RuntimeError, UnpicklingError) as error:
        raise CourseError(f"{path} cannot be resumed: {error}") from None


def begin_log(path: Path, epochs: int) -> None:
    """Begin the log, with the rows of so many epochs that are done."""
    rows = []
    if epochs and path.is_file():
        with open(path, encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if int(row["epoch"]) <= epochs]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def append_row(path: Path, row: dict[str, float]) -> None:
    """Add a row to the log."""
    with open(path, "a", newline="", encoding="utf-8") as file:
        csv.DictWriter(file, COLUMNS).writerow(row)


@contextmanager
def bar(console: Console, place: Place, total: int, done: int) -> Iterator[Callable]:
    """Show a progress bar of the iterations; only the first process talks."""
    if not place.leads:
        yield lambda words: None
        return
    columns = (
        *(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("training", total=total, completed=done)
        yield lambda words: progress.update(task, advance=1, description=words)
