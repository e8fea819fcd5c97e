"""Visible checks of tasks 4.9, 4.10 and 4.12: optimizer, checkpoints, and training."""

import torch
from torch import nn

from detlab.checking.expect import (
    expect_close,
    expect_handle,
    expect_int,
    expect_keys,
    expect_list,
    expect_number,
    fail,
)
from detlab.checking.mirror import mirror
from detlab.checking.replies import expect_form
from detlab.checking.student import Student
from detlab.checking.visible import visible
from detlab.weeks.detection import TERMS
from detlab.weeks.loaders import RepeatingLoader, offer
from detlab.weeks.week4.assertions import (
    NUM_PRIORS,
    SIDE,
    check_groups,
    expect_answers,
    make_module,
    steps_taken,
)
from detlab.weeks.week4.visible_transforms import public_image


def small_net(student: Student) -> tuple:
    """Make a small network there and here."""
    torch.manual_seed(2)
    net = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 1))
    return mirror(student, net), net


@visible("4.9")
def optimizer(student: Student) -> None:
    """The rates of weights and biases, and when they fall."""
    # The weights of a normalisation are a vector, as biases are, but no biases.
    here = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))
    there = mirror(student, here)
    made = expect_handle(student.make_optimizer(net=there), "The optimizer", "an optimizer")
    names = {name for name, _ in here.named_parameters()}
    biases = {name for name in names if name.endswith("bias")}
    check_groups(student.tool("groups_of", made, there), biases, names - biases)
    schedule = expect_handle(student.make_schedule(optimizer=made), "The schedule", "a schedule")
    rates = student.tool("rates_during", made, schedule, [0, 79_999, 80_000, 99_999, 100_000])
    rates = expect_form(rates, ([float],) * 5, "The rates")
    for before, almost, after, still, last in zip(*rates, strict=False):
        if abs(almost - before) > 1e-9 or abs(after - before / 10) > 1e-9:
            fail("The rates must stay for 80,000 iterations, and then fall to a tenth.")
        if abs(still - after) > 1e-9 or abs(last - after / 10) > 1e-9:
            fail("The rates must fall to a tenth again after 100,000 iterations, and not before.")


@visible("4.9")
def resuming(student: Student) -> None:
    """A checkpoint that is loaded into fresh parts."""
    nets = [small_net(student)[0] for _ in range(2)]
    makers = [student.make_optimizer(net=net) for net in nets]
    schedules = [student.tool("short_schedule", one, 2) for one in makers]
    parts = [
        dict(zip(("net", "optimizer", "schedule"), one, strict=True))
        for one in zip(nets, makers, schedules, strict=True)
    ]
    first, second = (list(one.values()) for one in parts)
    steps_taken(student, first, 3)
    file = student.tool("open_file")
    student.save_checkpoint(file=file, iteration=3, **parts[0])
    expected = steps_taken(student, first, 3)
    iteration = student.load_checkpoint(file=student.tool("reopened", file), **parts[1])
    if expect_int(iteration, "`load_checkpoint`'s result") != 3:
        fail("`load_checkpoint` must return the iteration.")
    found = steps_taken(student, second, 3)
    if len(found) != len(expected):
        fail("The network has other parameters after `load_checkpoint` than before.")
    for one, other in zip(found, expected, strict=True):
        expect_close(one, other, "A weight three steps after the checkpoint", 1e-7)


@visible("4.10")
def epoch(student: Student) -> None:
    """The steps, terms and losses of an epoch of three batches."""
    net = student.tool("tiny_detector", NUM_PRIORS, 4, 1)
    box, label = torch.tensor([[0.2, 0.3, 0.6, 0.8]]), torch.tensor([1])
    batch = (torch.zeros(2, 3, 8, 8), [box, box], [label, label])
    made = student.tool("sgd_for", net, 2.0)
    schedule = student.tool("short_schedule", made, 1)
    given = {"net": net, "loader": [batch] * 3, "optimizer": made, "schedule": schedule}
    history = expect_list(student.train_one_epoch(**given), "`train_one_epoch`'s history", 3)
    for row in history:
        row = expect_keys(row, TERMS, "each step of the history")
        if any(type(row[name]) is not float for name in TERMS):
            fail("The history must hold Python floats: use `.item()`.")
    sums = [sum(row[name] for name in TERMS) for row in history]
    if not sums[2] < sums[1] < sums[0]:
        fail("On equal batches the loss must fall from step to step.", f"{sums}")
    rate = expect_number(student.tool("rate_of", made), "The rate")
    if abs(rate - 2 * 0.7**3) > 1e-6:
        fail("The schedule takes a step after each batch.")


@visible("4.10")
def by_heart(student: Student) -> None:
    """`learn_by_heart` after one step on two images (this takes a while)."""
    box, label = torch.tensor([[0.2, 0.3, 0.6, 0.8]]), torch.tensor([1])
    image = public_image(SIDE, SIDE)
    batch = (torch.stack([image, image]), [box, box], [label, label])
    loader = RepeatingLoader(batch, 1, 60.0)
    net = student.learn_by_heart(loader=offer(student, loader), num_classes=4)
    net = expect_handle(net, "The result", "a net")
    student.tool("set_training", net, False)
    expect_answers(net(image[None]), "The network's result", 1, 4)
    steps = loader.progress.steps
    if steps != 1:
        fail("The loader offered one batch, which was not taken.")


@visible("4.12")
def detector(student: Student) -> None:
    """The network of `build_detector`: three classes and the background, fit to be handed in."""
    net = make_module(student, "build_detector")
    expect_answers(net(torch.zeros(1, 3, SIDE, SIDE)), "The network's result", 1, 4)
    if problem := student.tool("why_not_handed_in", net):
        fail(f"`save_detector` cannot write this network. {problem}")
