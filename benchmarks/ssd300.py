"""Time the course's SSD300 against torchvision's: same weights, same images, by turns.

    python benchmarks/ssd300.py [--rounds N] [--threads N]

What is compared, and how to read the table, stands in README.md beside this file.
"""

import functools
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from types import ModuleType
from typing import Annotated

import ledger
import torch
import torch.nn.functional as F
import typer
from contest import SIDE, console, random_boxes, random_labels, same
from detection import trained_like
from rich.progress import track
from rich.table import Table
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.detection import ssd300_vgg16
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import box_convert, box_iou, clip_boxes_to_image

from detgrader.course import Course
from detgrader.reference import load_reference
from detlab.fast import detect, multibox_terms

CLASSES = 21  # Pascal VOC's and the background
OBJECTS = (6, 2, 4, 4)  # of each image
BATCH = len(OBJECTS)
SEED = 0  # here no object has two equally good priors: which one is taken depends on their order
MATRIX = 2048  # rows and columns of those whose product shows the machine's peak
GOAL, HALF_GOAL = 1.0, 2.0  # how many times our seconds torchvision should need
EXACT, AFTER_FLIPS, HALF = 1e-4, 2e-2, 5e-2  # relative errors; the second for gradients
KEYS = ("bbox_regression", "cls_logits")
Outputs = tuple[Tensor, Tensor]  # offsets, logits
Image = dict[str, Tensor]


@dataclass(frozen=True)
class Program:
    """One of those that do the same: what is timed, the type it multiplies in, its goal."""

    name: str
    run: Callable[[], object]
    dtype: torch.dtype = torch.float32
    goal: float | None = None


@dataclass(frozen=True)
class Contest:
    """One thing that several programs do, and its work: operations of products, convolutions."""

    name: str
    programs: list[Program]
    flops: int = 0


# Both sides


class Torchvisions:
    """torchvision's model with fresh weights, what it does but for its transform, and its inputs.

    Attributes:
        net: the model.
        optimizer: of its parameters.
        images: (BATCH, 3, SIDE, SIDE) float32, as if normalised.
        boxes: for each image (n, 4), `xyxy` in fractions.
        labels: for each image (n,).
        order: the place of each of the course's priors among its own.
        priors: its own in the course's order, `cxcywh` in fractions.
    """

    def __init__(self, reference: ModuleType) -> None:
        rng = torch.Generator().manual_seed(SEED)
        self.net = ssd300_vgg16(weights=None, weights_backbone=None, num_classes=CLASSES)
        self.optimizer = reference.make_optimizer(self.net)
        self.images = torch.randn(BATCH, 3, SIDE, SIDE)
        self.image_list = ImageList(self.images, [(SIDE, SIDE)] * BATCH)
        self.maps = [torch.zeros(1, 1, size, size) for size in reference.FEATURE_SIZES]
        self.place_priors()
        self.order = order_of_priors(reference)
        self.priors = box_convert(self.anchors[0][self.order] / SIDE, "xyxy", "cxcywh")
        self.boxes = [random_boxes(rng, count) for count in OBJECTS]
        self.labels = [random_labels(rng, count, CLASSES) for count in OBJECTS]
        pairs = zip(self.boxes, self.labels, strict=True)
        self.targets = [{"boxes": SIDE * boxes, "labels": labels} for boxes, labels in pairs]

    def forward(self) -> Outputs:
        """Return offsets and logits, in its own order."""
        self.maps = list(self.net.backbone(self.images).values())
        outputs = self.net.head(self.maps)
        return tuple(outputs[key] for key in KEYS)

    def place_priors(self) -> None:
        """Lay out the anchors, as the model does for each batch anew."""
        self.anchors = self.net.anchor_generator(self.image_list, self.maps)

    def loss(self, outputs: Outputs) -> Tensor:
        """Match, and return both terms."""
        pairs = zip(self.targets, self.anchors, strict=True)
        matched = [self.net.proposal_matcher(box_iou(one["boxes"], own)) for one, own in pairs]
        named = dict(zip(KEYS, outputs, strict=True))
        terms = self.net.compute_loss(self.targets, named, self.anchors, matched)
        return torch.stack([terms["bbox_regression"], terms["classification"]])

    @torch.no_grad()
    def detections(self, outputs: Outputs) -> list[Image]:
        """Turn outputs into detections."""
        named = dict(zip(KEYS, outputs, strict=True))
        return self.net.postprocess_detections(named, self.anchors, self.image_list.image_sizes)


@dataclass
class Courses:
    """The course's network, `channels_last`, in bfloat16 or not, and what it does with inputs."""

    net: nn.Module
    optimizer: torch.optim.Optimizer
    inputs: Torchvisions
    half: bool

    def forward(self) -> Outputs:
        """Return offsets and logits in float32, in the course's order."""
        images = self.inputs.images.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            offsets, logits = self.net(images)
        return offsets.float(), logits.float()

    def place_priors(self) -> None:
        """Do nothing: the course makes its priors once."""

    def loss(self, outputs: Outputs) -> Tensor:
        """Match, and return both terms, with torchvision's weights (it sums where we average)."""
        inputs = self.inputs
        terms = multibox_terms(*outputs, inputs.boxes, inputs.labels, inputs.priors)
        return torch.stack([4 * terms["localization"], terms["confidence"]])

    @torch.no_grad()
    def detections(self, outputs: Outputs) -> list[Image]:
        """Turn outputs into detections."""
        return detect(*outputs, self.inputs.priors)


Side = Torchvisions | Courses


@torch.no_grad()
def forward(side: Side) -> Outputs:
    """Run the network only."""
    return side.forward()


def infer(side: Side) -> list[Image]:
    """Detect in the images."""
    outputs = forward(side)
    side.place_priors()
    return side.detections(outputs)


def step(side: Side) -> None:
    """Take one step of training."""
    outputs = side.forward()
    side.place_priors()
    side.optimizer.zero_grad()
    side.loss(outputs).sum().backward()
    side.optimizer.step()


def differentiate(side: Side, outputs: Outputs) -> Tensor:
    """Return the loss of given outputs, both terms, having differentiated it."""
    for one in outputs:
        one.grad = None
    terms = side.loss(outputs)
    terms.sum().backward()
    return terms.detach()


def find(side: Side, outputs: Outputs) -> list[Image]:
    """Turn given outputs into detections."""
    return side.detections(outputs)


# The same weights, the same objects


def order_in_cell(ratios: Sequence[float]) -> Tensor:
    """Return torchvision's place of each of the course's priors of a cell.

    The square between two scales is the course's last and torchvision's second.
    """
    return torch.tensor([0, *range(2, len(ratios) + 1), 1])


def order_of_priors(reference: ModuleType) -> Tensor:
    """Return torchvision's place of each of the course's priors."""
    places = torch.zeros(0, dtype=torch.int64)
    for size, ratios in zip(reference.FEATURE_SIZES, reference.RATIOS, strict=True):
        order = order_in_cell(ratios)
        cells = len(places) + len(order) * torch.arange(size**2)
        places = torch.cat([places, (cells[:, None] + order).flatten()])
    return places


def convolutions(*modules: nn.Module) -> list[nn.Conv2d]:
    """Return all convolutions, in their order."""
    return [m for module in modules for m in module.modules() if isinstance(m, nn.Conv2d)]


def layer_pairs(
    model: nn.Module, net: nn.Module, reference: ModuleType
) -> list[tuple[nn.Conv2d, nn.Conv2d, Tensor]]:
    """Return torchvision's convolutions, the course's, and where these have those's channels."""
    below = convolutions(model.backbone), convolutions(net.base, net.auxiliary)
    pairs = [(one, two, torch.arange(one.out_channels)) for one, two in zip(*below, strict=True)]
    theirs = model.head.regression_head, model.head.classification_head
    ours = net.prediction.offsets, net.prediction.logits
    for their_head, our_head, numbers in zip(theirs, ours, (4, CLASSES), strict=True):
        layers = zip(convolutions(their_head), our_head, reference.RATIOS, strict=True)
        for one, two, ratios in layers:
            channels = order_in_cell(ratios)[:, None] * numbers + torch.arange(numbers)
            pairs.append((one, two, channels.flatten()))
    return pairs


@torch.no_grad()
def make_sides(reference: ModuleType) -> tuple[Torchvisions, Courses, Courses]:
    """Make torchvision's side, and the course's with its weights, in float32 and in bfloat16."""
    theirs = Torchvisions(reference)
    net = reference.SSD300(CLASSES).to(memory_format=torch.channels_last)
    same("parameters", *(sum(p.numel() for p in m.parameters()) for m in (net, theirs.net)), 0)
    net.rescale.factors.copy_(theirs.net.backbone.scale_weight.view_as(net.rescale.factors))
    for one, two, channels in layer_pairs(theirs.net, net, reference):
        two.weight.copy_(one.weight[channels])
        two.bias.copy_(one.bias[channels])
    optimizer = reference.make_optimizer(net)
    for group in theirs.optimizer.param_groups + optimizer.param_groups:
        group["lr"] = 0.0  # a step costs the same, and all turns see the same weights
    return theirs, *(Courses(net, optimizer, theirs, half) for half in (False, True))


# The same work


def alike(name: str, ours: Tensor, theirs: Tensor, tolerance: float = EXACT) -> None:
    """Stop the benchmark where two tensors differ, by the norm of the difference."""
    error = (ours - theirs).norm() / theirs.norm().clamp(min=torch.finfo(theirs.dtype).tiny)
    same(f"{name}, relative error", float(error), 0.0, tolerance)


def alike_at_best(ours: list[Image], theirs: list[Image]) -> None:
    """Compare the best detection of each image: torchvision cuts boxes and leaves some out."""
    for mine, other in zip(ours, theirs, strict=True):
        same("label", float(mine["labels"][0]), float(other["labels"][0]), 0)
        same("score", float(mine["scores"][0]), float(other["scores"][0]))
        box = clip_boxes_to_image(SIDE * mine["boxes"][:1], (SIDE, SIDE))[0]
        alike("box", box, other["boxes"][0])


def check_sides(theirs: Torchvisions, ours: Courses, half: Courses, reference: ModuleType) -> None:
    """Compare feature maps, outputs, gradients and detections of both networks."""
    net, order = ours.net, theirs.order
    outputs, exact, rough = (forward(side) for side in (theirs, ours, half))
    with torch.no_grad():
        conv4_3, conv7 = net.base(theirs.images)
        maps = [net.rescale(conv4_3), conv7, *net.auxiliary(conv7)]
    for number, (mine, other) in enumerate(zip(maps, theirs.maps, strict=True), 1):
        alike(f"feature map {number}", mine, other)
    for name, mine, near, other in zip(KEYS, exact, rough, outputs, strict=True):
        alike(name, mine, other[:, order])
        alike(f"{name}, bfloat16", near, other[:, order], HALF)
    for side in (theirs, ours):
        step(side)
    # A ReLU or a maximum that rounding decides otherwise changes more than rounding does.
    for one, two, channels in layer_pairs(theirs.net, net, reference):
        alike(f"gradient of {two}", two.weight.grad, one.weight.grad[channels], AFTER_FLIPS)
    alike_at_best(infer(ours), infer(theirs))


# The contests


def matrices() -> Contest:
    """Multiply large matrices, by the library that torch chooses and by oneDNN, as in networks."""
    programs = []
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        one, two = torch.randn(2, MATRIX, MATRIX).to(dtype)
        programs.append(Program(f"mm, {name}", functools.partial(torch.mm, one, two), dtype))
        run = functools.partial(F.linear, one.to_mkldnn(), two)
        programs.append(Program(f"oneDNN, {name}", run, dtype))
    for program in programs:
        program.run()
    return Contest(f"product, {MATRIX}³", programs, 2 * MATRIX**3)


def contest(
    name: str, runs: Sequence[Callable[[], object]], half_goal: float | None = None
) -> Contest:
    """Let torchvision, the course, and where it differs the course in bfloat16 compete."""
    works = []
    for run in runs:
        with FlopCounterMode(display=False) as counter:
            run()
        works.append(counter.get_total_flops())
        same(f"FLOPs, {name}", works[-1], works[0], 0)
    names = ("torchvision, float32", "course, float32", "course, bfloat16")
    dtypes = (torch.float32, torch.float32, torch.bfloat16)
    rows = zip(names, runs, dtypes, (None, GOAL, half_goal), strict=False)
    return Contest(name, [Program(*row) for row in rows], works[0])


def part(
    name: str, sides: Sequence[Side], outputs: Outputs, job: Callable, check: Callable
) -> Contest:
    """Compare something that follows the networks, on outputs in the course's order."""
    theirs, ours, _ = sides
    back = theirs.order.argsort()
    turned = [one[:, back].requires_grad_() for one in outputs]
    own = [one.clone().requires_grad_() for one in outputs]
    runs = [functools.partial(job, theirs, turned), functools.partial(job, ours, own)]
    check(runs[1](), runs[0]())
    return contest(name, runs)


def make_contests(reference: ModuleType) -> list[Contest]:
    """Prepare all contests, after checking that both sides do the same."""
    sides = make_sides(reference)
    check_sides(*sides, reference)
    contests = [matrices()]
    jobs = {"forward": forward, "training step": step, "inference": infer}
    for name, job in jobs.items():
        runs = [functools.partial(job, side) for side in sides]
        goal = None if job is forward else HALF_GOAL
        contests.append(contest(f"{name}, {BATCH} images", runs, goal))
    rng = torch.Generator().manual_seed(SEED)
    trained = [one[:BATCH] for one in trained_like(rng, sides[0].priors, CLASSES)]
    untrained = forward(sides[1])
    same_loss = functools.partial(alike, "loss")
    return [
        *contests,
        part("loss", sides, untrained, differentiate, same_loss),
        part("detection, trained-like", sides, trained, find, alike_at_best),
        part("detection, untrained", sides, untrained, find, alike_at_best),
    ]


# The table


def take_turns(
    contests: list[Contest], rounds: int, clock: Callable[[], float]
) -> dict[Program, float]:
    """Run all programs, one after another, so many times; return their medians, in seconds."""
    times = {program: [] for contest in contests for program in contest.programs}
    for _ in track(range(rounds), console=console, transient=True):
        for program, seconds in times.items():
            start = clock()
            program.run()
            seconds.append(clock() - start)
    return {program: statistics.median(seconds) for program, seconds in times.items()}


def make_table(title: str, contests: list[Contest], medians: dict[Program, float]) -> Table:
    """Write the medians, how they compare, and their share of the first contest's speed."""
    table = Table(title=title)
    for column in ("", "program", "ms", "first ÷", "goal", "GFLOP/s", "of peak"):
        table.add_column(column, justify="left" if column in ("", "program") else "right")
    peaks: dict[torch.dtype, float] = {}
    for program in contests[0].programs:
        speed = contests[0].flops / medians[program]
        peaks[program.dtype] = max(peaks.get(program.dtype, 0.0), speed)
    for contest in contests:
        first = contest.programs[0]
        for program in contest.programs:
            speed = contest.flops / medians[program]
            table.add_row(
                contest.name if program is first else "",
                program.name,
                f"{1000 * medians[program]:,.1f}",
                "" if program is first else f"{medians[first] / medians[program]:.2f}",
                f"≥ {program.goal:g}" if program.goal else "",
                f"{speed / 1e9:.0f}" if speed else "",
                f"{speed / peaks[program.dtype]:.0%}" if speed else "",
            )
        table.add_section()
    return table


def add_to_ledger(
    contests: list[Contest], medians: dict[Program, float], rounds: int, threads: int
) -> None:
    """Note how many times the course's seconds torchvision needs, and all seconds."""
    ratios = {
        f"{contest.name}: {program.name}": medians[contest.programs[0]] / medians[program]
        for contest in contests[1:]  # the first is the machine's own
        for program in contest.programs[1:]
    }
    figures = {
        f"{contest.name}: {program.name}": medians[program]
        for contest in contests
        for program in contest.programs
    }
    ledger.append("ssd300", rounds, ratios, figures, threads=threads)


def main(
    rounds: Annotated[int, typer.Option(min=1, help="turns of each program")] = 7,
    threads: Annotated[int, typer.Option(min=1, help="of torch; from 2 on, wall time")] = 1,
) -> None:
    """Print a table of medians, and add the run to the ledger."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    contests = make_contests(load_reference(Course.find(), "week4_ssd300"))
    clock, kind = time.process_time, "processor time, one thread"
    if threads > 1:
        clock, kind = time.perf_counter, f"wall time, {threads} threads"
    medians = take_turns(contests, rounds, clock)
    console.print(make_table(f"medians of {rounds}; {kind}", contests, medians))
    console.print(", ".join(f"{name} {version(name)}" for name in ("torch", "torchvision")))
    add_to_ledger(contests, medians, rounds, threads)


if __name__ == "__main__":
    typer.run(main)
