"""Task 2.6: the training loop, its history and its curves."""

import pytest
import torch
from scenes import randint
from torch import Tensor, nn

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
from detlab.checking.tools import linear_terms
from detlab.checking.week2 import check_history, check_history_figure

pytestmark = pytest.mark.task("2.6", points=8)

NAMES = ("first", "second")
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
    history = train(student, mirror(student, net), loader)
    images, targets = loader[0]
    expected = linear_terms(net(images), targets)
    for name in NAMES:
        first = torch.tensor(history[0][name], dtype=torch.float64)
        what = f'The term "{name}" of the first step, per image,'
        cause = "Divide each term by the number of images in its batch."
        expect_close(first, expected[name] / len(images), what, 1e-4, cause)


@pytest.mark.weight(4)
def test_steps(student: Student, rng: torch.Generator) -> None:
    """Each step follows the gradient of its own batch, per image."""
    net, loader = small_net(rng), batches(rng)
    theirs = mirror(student, net)
    record = student.tool("record_gradients", theirs)
    calls = student.tool("record_calls", theirs)
    train(student, theirs, loader)
    sizes = [shape[0] for shape, _ in student.tool("recorded", calls)]
    if sizes != [len(images) for images, _ in loader] * EPOCHS:
        fail(
            "`train` must pass each batch through the network once an epoch, in order.",
            f"The batches had {sizes} images.",
        )
    gradients = expect_list(student.tool("recorded", record), "The gradients", len(sizes))
    for step, gradient in enumerate(gradients):
        images, targets = loader[step % len(loader)]
        net.zero_grad()
        (sum(linear_terms(net(images), targets).values()) / len(images)).backward()
        what = f"The gradient of step {step + 1}"
        cause = cause_of(gradients, step, net.weight.grad, len(images))
        expect_close(gradient, net.weight.grad, what, 1e-4, cause)


def cause_of(gradients: list, step: int, right: Tensor, count: int) -> str:
    """Guess why a gradient is wrong."""
    got = gradients[step]
    if not isinstance(got, Tensor) or got.shape != right.shape:
        return ""
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
    before = student.tool("parameters", net)
    train(student, net, batches(rng))
    for old, new in zip(before, student.tool("parameters", net), strict=True):
        if torch.equal(old, expect_tensor(new, "A parameter after training", old.shape)):
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
    heard = expect_keys(heard, ("printed",), "The outcome")
    if expect_int(heard["printed"], "The number of characters") < 10:
        fail("`train` shows no progress: wrap the loader, or the steps, in `tqdm`.")


@pytest.mark.weight(2)
def test_curves(student: Student, rng: torch.Generator) -> None:
    """`plot_history` draws a curve for each term over the steps, with legend and labels."""
    steps = randint(rng, 20, 40)
    rows = 5 * torch.rand(steps, 3, generator=rng) + 0.1
    names = ("detection", "classification", "regression")
    history = [dict(zip(names, row, strict=True)) for row in rows.tolist()]
    figure = expect_handle(student.plot_history(history=history), "The result", "a Figure")
    axes = expect_list(student.tool("describe_figure", figure), "The figure's axes")
    check_history_figure(axes, history)
