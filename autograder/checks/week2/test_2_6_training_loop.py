"""Task 2.6: the training loop, its history and its curves."""

import itertools

import pytest
import torch
from torch import Tensor, nn

from detcourse.week2.scenes import randint
from detlab.checking.expect import (
    expect_close,
    expect_int,
    expect_keys,
    expect_list,
    expect_number,
    fail,
)
from detlab.checking.mirror import mirror
from detlab.checking.replies import axes_of, calls_of, parameters_of
from detlab.checking.student import Handle, Student
from detlab.weeks.loaders import progress_told
from detlab.weeks.training_tools import linear_terms
from detlab.weeks.week2.assertions import check_history, check_history_figure, training_of

pytestmark = pytest.mark.task("2.6", points=8)

NAMES = ("first", "second")
# Who runs the network in bfloat16 keeps 8 bits, a relative error of up to 2⁻⁹ = 0.002.
TOLERANCE = 2e-2
HISTORY_TOLERANCE = 5e-3
EPOCHS = 2
Batches = list[tuple[Tensor, Tensor]]


def batches(rng: torch.Generator) -> Batches:
    """Return batches of 4, 3 and 2 small images with targets for outputs of (3, 4, 4)."""
    return [
        (
            torch.rand(count, 1, 6, 6, generator=rng),
            torch.randn(count, 3, 4, 4, generator=rng),
        )
        for count in (4, 3, 2)
    ]


def small_net(rng: torch.Generator) -> nn.Conv2d:
    """Return a convolution from (1, 6, 6) to (3, 4, 4)."""
    net = nn.Conv2d(1, 3, 3)
    for weights in net.parameters():
        weights.data.copy_(torch.randn(weights.shape, generator=rng))
    return net


def train(student: Student, net: Handle, loader: Batches, epochs: int = EPOCHS) -> list:
    """Have a network trained on a loss whose gradients do not depend on its outputs."""
    terms = student.tool("given_terms")
    history = student.train(net=net, loader=loader, loss_terms=terms, epochs=epochs)
    return check_history(history, NAMES, epochs * len(loader))


@pytest.mark.weight(2)
def test_history(student: Student, rng: torch.Generator) -> None:
    """The history has each term per image, as floats, for each step."""
    net, loader = small_net(rng), batches(rng)
    theirs = mirror(student, net)
    record = student.tool("record_training", theirs)
    history = train(student, theirs, loader)
    weights = training_of(student, record, net)["weights"]
    if len(weights) != len(history):
        fail("`train` must pass each batch through the network once an epoch.")
    for step, row in enumerate(history):
        images, targets = loader[step % len(loader)]
        outputs = torch.conv2d(images, *weights[step])
        expected = linear_terms(outputs, targets)
        # Roundings are as large as the summands, which cancel each other in part.
        summands = linear_terms(outputs.abs(), targets.abs())
        for name in NAMES:
            scale = float(summands[name]) / len(images) or 1.0
            value = torch.tensor(row[name] / scale, dtype=torch.float64)
            what = f'The term "{name}" of step {step + 1}, per image,'
            cause = "Note the batch's own terms, each divided by the batch's number of images."
            right = expected[name] / len(images) / scale
            expect_close(value, right, what, HISTORY_TOLERANCE, cause)


@pytest.mark.weight(1)
def test_every_batch_moves(student: Student, rng: torch.Generator) -> None:
    """Each batch moves the weights, by one step of the optimizer."""
    net, loader = small_net(rng), batches(rng)
    theirs = mirror(student, net)
    record = student.tool("record_training", theirs)
    train(student, theirs, loader)
    after = parameters_of(student, theirs, "the network", 2)
    told = training_of(student, record, net)
    steps, taken = EPOCHS * len(loader), len(told["steps"])
    if taken not in (0, steps):
        fail(f"The optimizer took {taken} steps for {steps} batches.")
    if taken == 0:  # none of torch's optimizers: then the weights themselves must tell
        weights = [*(one[0] for one in told["weights"]), after[0]]
        if any(torch.equal(old, new) for old, new in itertools.pairwise(weights)):
            fail("Some batch moves no weight: take a step after every one, the last too.")


@pytest.mark.weight(1)
def test_every_epoch_draws_anew(student: Student, rng: torch.Generator) -> None:
    """Each epoch passes through the loader itself, which may shuffle."""
    net = nn.Conv2d(1, 1, 3)
    loader = student.tool("budgeted_loader", 4, 100, 60.0, 0)
    images = (255 * torch.rand(12, 1, 6, 6, generator=rng)).to(torch.uint8)
    student.tool("add_to_loader", loader, images, torch.zeros(12, 1, 4, 4))
    terms = student.tool("given_terms")
    student.train(net=mirror(student, net), loader=loader, loss_terms=terms, epochs=3)
    steps = progress_told(student, loader).steps
    if steps != 9:
        fail(
            "Each epoch must pass through the loader once: a list of its batches, made once, would "
            "come in the same order each time.",
            f"In 3 epochs of 3 batches, {steps} were drawn.",
        )


@pytest.mark.weight(4)
def test_steps(student: Student, rng: torch.Generator) -> None:
    """Each step follows the gradient of its own batch, per image."""
    net, loader = small_net(rng), batches(rng)
    theirs = mirror(student, net)
    record = student.tool("record_training", theirs)
    calls = student.tool("record_calls", theirs)
    train(student, theirs, loader)
    sizes = [shape[0] for shape, _ in calls_of(student, calls, "the network") if shape]
    if sizes != [len(images) for images, _ in loader] * EPOCHS:
        fail(
            "`train` must pass each batch through the network once an epoch, in order.",
            f"The batches had {sizes} images.",
        )
    told = training_of(student, record, net)
    # As the backward pass left it; or, when there were more or none, as the optimizer found it.
    gradients = told["backward"]
    if len(gradients) != len(sizes):
        gradients = expect_list(told["steps"], "The optimizer's steps", len(sizes))
    for step, gradient in enumerate(gradients):
        images, targets = loader[step % len(loader)]
        net.zero_grad()
        (sum(linear_terms(net(images), targets).values()) / len(images)).backward()
        what = f"The gradient of step {step + 1}"
        cause = cause_of(gradients, step, net.weight.grad, len(images))
        expect_close(gradient, net.weight.grad, what, TOLERANCE, cause)


def cause_of(gradients: list[Tensor], step: int, right: Tensor, count: int) -> str:
    """Guess why a gradient is wrong."""
    got = gradients[step]
    if torch.allclose(got, count * right, rtol=1e-3, atol=1e-4):
        return "Divide the loss by the number of images before the backward pass."
    if step and torch.allclose(got - gradients[step - 1], right, rtol=1e-3, atol=1e-3):
        return "It holds the previous batch's too: where is `zero_grad`?"
    return ""


@pytest.mark.weight(1)
def test_training_mode(student: Student, rng: torch.Generator) -> None:
    """The network is put into training mode before the first step."""
    net = nn.Sequential(small_net(rng), nn.BatchNorm2d(3))
    theirs = mirror(student, net)
    student.tool("set_training", theirs, False)
    train(student, theirs, batches(rng))
    buffers = expect_keys(student.tool("state", theirs), ("1.num_batches_tracked",), "The state")
    if expect_int(buffers["1.num_batches_tracked"], "The number of batches") != 3 * EPOCHS:
        fail("Batch normalisation did not see every batch: is the network in training mode?")


@pytest.mark.weight(1)
def test_all_parameters_learn(student: Student, rng: torch.Generator) -> None:
    """Every parameter of the network is trained."""
    ours = nn.Sequential(nn.Conv2d(1, 4, 2), nn.Conv2d(4, 3, 2))
    for weights in ours.parameters():
        weights.data.copy_(torch.randn(weights.shape, generator=rng))
    net = mirror(student, ours)
    before = parameters_of(student, net, "the network", 4)
    train(student, net, batches(rng))
    if any(map(torch.equal, before, parameters_of(student, net, "the network", 4))):
        fail("Some parameters never change: does the optimizer know of all of them?")


@pytest.mark.weight(1)
def test_learns(student: Student, rng: torch.Generator) -> None:
    """Over many steps the loss falls."""
    images = torch.rand(16, 1, 6, 6, generator=rng)
    loader = [(images, torch.ones(16, 3, 4, 4))] * 10
    history = train(student, mirror(student, small_net(rng)), loader, epochs=3)
    first, last = (sum(expect_number(row[name], name) for name in NAMES) for row in history[::29])
    if not last < first - 0.01:
        fail("After 30 steps the loss is no smaller than before: is the sign of the step right?")


@pytest.mark.weight(1)
def test_progress(student: Student, rng: torch.Generator) -> None:
    """A progress bar is shown."""
    net = mirror(student, small_net(rng))
    arguments = [net, batches(rng), student.tool("given_terms"), EPOCHS]
    heard = student.tool("call_and_listen", student.fetch("train"), arguments)
    if expect_keys(heard, ("bar",), "The outcome")["bar"] is not True:
        fail("`train` shows no progress: wrap the loader, or the steps, in `tqdm`.")


@pytest.mark.weight(2)
def test_curves(student: Student, rng: torch.Generator) -> None:
    """`plot_history` draws a curve for each term over the steps, with legend and labels."""
    steps = randint(rng, 20, 40)
    rows = 5 * torch.rand(steps, 3, generator=rng) + 0.1
    names = ("detection", "classification", "regression")
    history = [dict(zip(names, row, strict=True)) for row in rows.tolist()]
    student.plot_history(history=[dict.fromkeys(names, 1.0) for _ in range(steps)])
    axes = axes_of(student, student.plot_history(history=history), "`plot_history`'s result")
    check_history_figure(axes, history)
    lines = [line for one in axes for line in one["lines"]]
    if any(line["y"].shape == (steps,) and (line["y"] == 1).all() for line in lines):
        fail("The figure holds the curves of an earlier call, too: make a new one each time.")
    other = [{"loc": 2.0 / n, "conf": 3.0 / n} for n in range(1, 9)]
    axes = axes_of(student, student.plot_history(history=other), "`plot_history`'s result")
    check_history_figure(axes, other)
