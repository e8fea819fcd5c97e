"""Task 4.9: optimizer, schedule, and checkpoints that resume exactly."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from detcourse.cases import randint
from detcourse.trainings import seed_from
from detlab.checking.expect import (
    expect_close,
    expect_handle,
    expect_int,
    expect_tensor,
    fail,
)
from detlab.checking.mirror import mirror
from detlab.checking.replies import parameters_of
from detlab.checking.student import Handle, Student
from detlab.weeks.week4.assertions import FORBIDDEN, check_groups, steps_taken
from detlab.weeks.week4.tools.optimizers import (
    adam_for,
    sgd_with_momentum,
    short_schedule,
    take_steps,
)

pytestmark = [
    pytest.mark.task("4.9", points=6),
    # 120,000 steps of a schedule take a second or two.
    pytest.mark.limits(cpu_s=40, memory_mb=2048, wall_s=160),
    pytest.mark.forbid(*FORBIDDEN),
]

WIDTH = 6
FALLS, END = (80_000, 100_000), 120_000
MAKERS: dict[str, Callable[[nn.Module], Any]] = {
    "sgd_with_momentum": sgd_with_momentum,
    "adam_for": adam_for,
}
SETTINGS = (
    "Rate 10⁻³, of biases 2·10⁻³; momentum 0.9 and decay 5·10⁻⁴ for all; biases are those whose "
    "name ends in `bias`."
)
MOMENTS = [0, 1, 79_999, 80_000, 99_999, 100_000, 119_999]


def net_of(
    student: Student,
    rng: torch.Generator,
    kind: str = "mixed",
    scale: float = 1.0,
    dtype: torch.dtype = torch.float32,
) -> tuple[Handle, nn.Module]:
    """Make a network there and here, with equal weights.

    Args:
        scale: by which fresh weights are multiplied.
    """
    torch.manual_seed(seed_from(rng))
    layers = {
        "mixed": [
            nn.Conv2d(3, 4, 3),
            nn.BatchNorm2d(4),
            nn.Conv2d(4, 4, 3, bias=False),
            nn.Conv2d(4, 2, 1),
        ],
        "plain": [nn.Linear(WIDTH, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 1)],
    }[kind]
    net = nn.Sequential(*layers).to(dtype)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(scale)
    return mirror(student, net), net


def expect_parameters(
    student: Student, there: Handle, right: list[Tensor], start: list[Tensor], what: str, cause: str
) -> None:
    """Compare a network's parameters with the right ones, by how far they moved from a start."""
    found = parameters_of(student, there, "the network", len(right))
    for one, other, before in zip(found, right, start, strict=True):
        expect_tensor(one, "A parameter", other.shape)
        scale = float((other - before).abs().max()) or 1.0
        expect_close((one.double() - before) / scale, (other - before) / scale, what, 1e-3, cause)


class Paper:
    """The paper's SGD on copies of a network's parameters, in double precision."""

    def __init__(self, net: nn.Module):
        self.biases = [name.endswith("bias") for name, _ in net.named_parameters()]
        self.parameters = [one.detach().double() for one in net.parameters()]
        self.momenta: list[Tensor] = []

    def step(self, gradients: list[Tensor], factor: float = 1.0) -> None:
        """Take one step, at this share of the first rates."""
        changes = [g.double() + 5e-4 * p for g, p in zip(gradients, self.parameters, strict=True)]
        old = self.momenta or [torch.zeros_like(one) for one in changes]
        self.momenta = [0.9 * m + c for m, c in zip(old, changes, strict=True)]
        rates = [(2e-3 if bias else 1e-3) * factor for bias in self.biases]
        parts = zip(self.parameters, self.momenta, rates, strict=True)
        self.parameters = [p - rate * m for p, m, rate in parts]


def gradients_for(net: nn.Module, rng: torch.Generator, size: float) -> list[Tensor]:
    """Return random gradients."""
    return [(size * torch.randn(p.shape, generator=rng)).to(p.dtype) for p in net.parameters()]


@pytest.mark.weight(2)
def test_optimizer(student: Student, rng: torch.Generator) -> None:
    """The optimizer's settings, and the rates of weights and biases."""
    # So large, and so precise, that the decay of a single step shows.
    there, here = net_of(student, rng, scale=100.0, dtype=torch.float64)
    optimizer = student.make_optimizer(net=there)
    optimizer = expect_handle(optimizer, "`make_optimizer`'s result", "an optimizer")
    if student.tool("is_sgd", optimizer) is not True:
        fail(f"`make_optimizer` must return torch.optim.SGD, not {optimizer.type_name}.")
    names = {name for name, _ in here.named_parameters()}
    biases = {name for name in names if name.endswith("bias")}
    check_groups(student.tool("groups_of", optimizer, there), biases, names - biases)
    # What it says of itself is one thing, what its steps do another.
    paper, start = Paper(here), [one.detach().double() for one in here.parameters()]
    for number in range(1, 4):
        gradients = gradients_for(here, rng, 0.1)
        paper.step(gradients)
        student.tell("step_with", there, optimizer, gradients)
        what = f"A parameter after {number} steps of the optimizer"
        expect_parameters(student, there, paper.parameters, start, what, SETTINGS)


@pytest.mark.weight(2)
def test_schedule(student: Student, rng: torch.Generator) -> None:
    """The rates over 120,000 iterations."""
    there, here = net_of(student, rng)
    parameters = [one.detach().double() for one in here.parameters()]
    rates = [10.0 ** -randint(rng, 1, 3) for _ in parameters]
    optimizer = student.tool("sgd_of_rates", there, rates)
    schedule = student.make_schedule(optimizer=optimizer)
    schedule = expect_handle(schedule, "`make_schedule`'s result", "a schedule")
    between = [randint(rng, low + 1, high - 1) for low, high in pairwise([0, *FALLS, END])]
    done = 0
    for moment in sorted([*MOMENTS, *between]):
        student.tell("idle_steps", optimizer, schedule, moment - done)
        done, before = moment, parameters
        factor = 0.1 ** sum(moment >= fall for fall in FALLS)
        # One step tells the rates, by how far it goes.
        gradients = gradients_for(here, rng, 10 / factor)
        steps = zip(parameters, gradients, rates, strict=True)
        parameters = [p - rate * factor * g.double() for p, g, rate in steps]
        student.tell("step_with", there, optimizer, gradients)
        what = f"A parameter after a step behind {moment:,} iterations"
        cause = f"Then the rates are {factor:g} of what they were at first."
        expect_parameters(student, there, parameters, before, what, cause)


def save_and_load(
    student: Student, rng: torch.Generator, make_optimizer: str, iteration: int, steps: int = 4
) -> None:
    """Train, save; load into fresh objects of a fresh process, train on: as if without a stop.

    What a training without a stop comes to is computed here. All that the fresh process knows of
    it is what the file holds.

    Args:
        make_optimizer: name of the tool that makes the optimizer.
        steps: before the checkpoint.
    """
    make, names = MAKERS[make_optimizer], ("net", "optimizer", "schedule")

    def parts() -> tuple[list[Handle], list[Any]]:
        there, here = net_of(student, rng, "plain")
        optimizer = student.tool(make_optimizer, there)
        own = make(here)
        theirs = [there, optimizer, student.tool("short_schedule", optimizer, 3)]
        return theirs, [here, own, short_schedule(own, 3)]

    first, ours = parts()
    seed = seed_from(rng)
    student.seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        take_steps(*ours, steps)
        expected = take_steps(*ours, 5)
    student.tool("take_steps", *first, steps)
    file = student.tool("open_file")
    student.save_checkpoint(file=file, iteration=iteration, **dict(zip(names, first, strict=True)))
    content = expect_tensor(student.tool("bytes_of", file), "The checkpoint")
    if content.dtype != torch.uint8 or not content.numel():
        fail("`save_checkpoint` wrote nothing to its file.")
    student.start_again()
    second, _ = parts()
    student.seed(seed_from(rng))
    student.tool("take_steps", *second, 2)
    file = student.make("BytesIO", "file_of", content)
    answer = student.load_checkpoint(file=file, **dict(zip(names, second, strict=True)))
    found_iteration = expect_int(answer, "`load_checkpoint`'s result, the iteration,")
    if found_iteration != iteration:
        fail(f"`load_checkpoint` must return the iteration {iteration}, not {found_iteration}.")
    found = steps_taken(student, second, 5)
    if len(found) != len(expected):
        fail("The network has other parameters after `load_checkpoint` than before.")
    cause = (
        "A resumed training must go on exactly as the other did: weights, momentum, schedule, and "
        "the state of torch's generator. It is resumed in a new process, with the file alone."
    )
    for one, other in zip(found, expected, strict=True):
        expect_close(one, other, "A parameter after the resumed training", 1e-5, cause)


@pytest.mark.weight(3)
def test_resume(student: Student, rng: torch.Generator) -> None:
    """A training that is resumed, against one that never stopped."""
    for iteration, steps in ((4, 4), (81_234, 4), (0, 0)):
        save_and_load(student, rng, "sgd_with_momentum", iteration, steps)


@pytest.mark.weight(1)
def test_resume_other_optimizer(student: Student, rng: torch.Generator) -> None:
    """A checkpoint of another optimizer."""
    save_and_load(student, rng, "adam_for", 7)
