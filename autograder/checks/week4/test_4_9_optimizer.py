"""Task 4.9: optimizer, schedule, and checkpoints that resume exactly."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from detcourse.cases import randint
from detcourse.trainings import seed_from
from detlab.checking.expect import (
    expect_close,
    expect_handle,
    expect_int,
    expect_keys,
    expect_list,
    expect_number,
    expect_tensor,
    fail,
)
from detlab.checking.mirror import mirror
from detlab.checking.student import Handle, Student
from detlab.weeks.week4.assertions import FORBIDDEN, check_groups

pytestmark = [
    pytest.mark.task("4.9", points=6),
    # 120,000 steps of an optimizer take two seconds or three.
    pytest.mark.limits(cpu_s=40, memory_mb=2048, wall_s=160),
    pytest.mark.forbid(*FORBIDDEN),
]

WIDTH = 6
FALLS, END = (80_000, 100_000), 120_000
MOMENTS = [0, 1, 79_999, 80_000, 99_999, 100_000, 119_999]


def net_of(student: Student, rng: torch.Generator, kind: str = "mixed") -> tuple[Handle, nn.Module]:
    """Make a network there and here, with equal weights."""
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
    net = nn.Sequential(*layers)
    return mirror(student, net), net


@pytest.mark.weight(2)
def test_optimizer(student: Student, rng: torch.Generator) -> None:
    """SGD with the paper's settings; biases learn at twice the rate."""
    there, here = net_of(student, rng)
    optimizer = student.make_optimizer(net=there)
    optimizer = expect_handle(optimizer, "`make_optimizer`'s result", "an optimizer")
    if student.tool("is_sgd", optimizer) is not True:
        fail(f"`make_optimizer` must return torch.optim.SGD, not {optimizer.type_name}.")
    names = {name for name, _ in here.named_parameters()}
    biases = {name for name in names if name.endswith("bias")}
    check_groups(student.tool("groups_of", optimizer, there), biases, names - biases)


@pytest.mark.weight(2)
def test_schedule(student: Student, rng: torch.Generator) -> None:
    """The rates fall to a tenth after 80,000 iterations, and again after 100,000."""
    there, _ = net_of(student, rng)
    optimizer = student.make_optimizer(net=there)
    groups = student.tool("groups_of", optimizer, there)
    first = [
        expect_number(expect_keys(group, ("lr",), "A group")["lr"], "A rate")
        for group in expect_list(groups, "The optimizer's groups")
    ]
    schedule = student.make_schedule(optimizer=optimizer)
    schedule = expect_handle(schedule, "`make_schedule`'s result", "a schedule")
    between = [randint(rng, low + 1, high - 1) for low, high in pairwise([0, *FALLS, END])]
    moments = sorted([*MOMENTS, *between])
    rates = student.tool("rates_during", optimizer, schedule, moments)
    rates = expect_list(rates, "The rates", len(moments))
    for moment, row in zip(moments, rates, strict=True):
        factor = 0.1 ** sum(moment >= fall for fall in FALLS)
        row = expect_list(row, "The rates", len(first))
        for rate, start in zip(row, first, strict=True):
            rate = expect_number(rate, "A rate")
            if abs(rate - start * factor) > 1e-9:
                fail(
                    f"After {moment:,} iterations a rate of {start:g} must be {start * factor:g}, "
                    f"but is {rate:g}."
                )


def save_and_load(
    student: Student, rng: torch.Generator, make_optimizer: str, iteration: int, steps: int = 4
) -> None:
    """Train, save, train on; then load into fresh objects, train on: all must be the same.

    Another checkpoint is written in between: each must hold all that it needs.

    Args:
        steps: before the checkpoint.
    """

    def parts() -> list[Handle]:
        net, _ = net_of(student, rng, "plain")
        if make_optimizer == "theirs":
            optimizer = student.make_optimizer(net=net)
        else:
            optimizer = student.tool("adam_for", net)
        return [net, optimizer, student.tool("short_schedule", optimizer, 3)]

    first, second = parts(), parts()
    names = ("net", "optimizer", "schedule")
    student.seed(seed_from(rng))
    student.tool("take_steps", *first, steps)
    file = student.tool("open_file")
    given = dict(zip(names, first, strict=True))
    student.save_checkpoint(file=file, iteration=iteration, **given)
    expected = expect_steps(student.tool("take_steps", *first, 5))
    student.save_checkpoint(file=student.tool("open_file"), iteration=iteration + 5, **given)
    student.seed(seed_from(rng))
    student.tool("take_steps", *second, 2)
    file = student.tool("reopened", file)
    given = dict(zip(names, second, strict=True))
    answer = student.load_checkpoint(file=file, **given)
    found_iteration = expect_int(answer, "`load_checkpoint`'s result, the iteration,")
    if found_iteration != iteration:
        fail(f"`load_checkpoint` must return the iteration {iteration}, not {found_iteration}.")
    found = expect_steps(student.tool("take_steps", *second, 5), len(expected))
    cause = (
        "A resumed training must go on exactly as the other did: weights, momentum, schedule, and "
        "the state of torch's generator."
    )
    for one, other in zip(found, expected, strict=True):
        expect_close(one, other, "A parameter after the resumed training", 1e-7, cause)


def expect_steps(value: object, count: int | None = None) -> list[Tensor]:
    """Take what `take_steps` tells: parameters and buffers, some at least."""
    values = expect_list(value, "The parameters after some steps", count)
    if not values:
        fail("The network lost its parameters.")
    return [expect_tensor(one, "A parameter after some steps") for one in values]


@pytest.mark.weight(3)
def test_resume(student: Student, rng: torch.Generator) -> None:
    """A training that is resumed goes on exactly as if it had not stopped."""
    for iteration, steps in ((4, 4), (81_234, 4), (0, 0)):
        save_and_load(student, rng, "theirs", iteration, steps)


@pytest.mark.weight(1)
def test_resume_other_optimizer(student: Student, rng: torch.Generator) -> None:
    """Checkpoints serve any optimizer."""
    save_and_load(student, rng, "adam", 7)
