"""Task 2.6: the training loop, its history and its curves.

No check takes the word of what runs beside the loop: they look at the outputs that the loop hands
to a loss, which is asked here, and at the weights that it leaves behind (see
`detcourse.week2.loop`). What is recorded beside the loop words a message, and costs what it says.
"""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from detcourse.week2.loop import (
    TOLERANCE,
    GivenTerms,
    expect_outputs,
    still_net,
    train,
)
from detcourse.week2.scenes import randint
from detlab.checking.expect import expect_close, expect_keys, expect_list, fail
from detlab.checking.mirror import mirror
from detlab.checking.replies import axes_of
from detlab.checking.student import Handle, Student
from detlab.weeks.training_tools import linear_terms
from detlab.weeks.week2.assertions import check_history_figure, training_of

pytestmark = pytest.mark.task("2.6", points=8)

# Of terms of some tens: sums of float32 in any order are near enough, and whoever rounds to four
# digits behind the point; to two is not.
HISTORY_TOLERANCE = 1e-5
EPOCHS = 2
# One of these shows how far a loop is.
PROGRESS = frozenset("tqdm trange print write progress_bar track Progress alive_bar".split())


def batches(rng: torch.Generator) -> list[tuple[Tensor, Tensor]]:
    """Return batches of 4, 3 and 2 small images with targets for outputs of (3, 4, 4)."""
    return [
        (torch.rand(count, 1, 6, 6, generator=rng), torch.randn(count, 3, 4, 4, generator=rng))
        for count in (4, 3, 2)
    ]


def loader_of(student: Student, some: list[tuple[Tensor, Tensor]]) -> Handle:
    """Return a loader of batches which has a `batch_size`, that of the first one."""
    return student.make("loader", "loader_of_epochs", [some])


def small_net(rng: torch.Generator) -> nn.Conv2d:
    """Return a convolution from (1, 6, 6) to (3, 4, 4)."""
    net = nn.Conv2d(1, 3, 3)
    for weights in net.parameters():
        weights.data.copy_(torch.randn(weights.shape, generator=rng))
    return net


@pytest.mark.weight(2)
def test_history(student: Student, rng: torch.Generator) -> None:
    """The history: each term per image, as floats, for each step."""
    net, loader = small_net(rng), batches(rng)
    theirs = loader_of(student, loader)
    done = train(student, net, theirs, EPOCHS, per_epoch=len(loader))
    for step, row in enumerate(done.history):
        images, targets = loader[step % len(loader)]
        outputs, given = done.terms.calls[step]
        if given.shape != targets.shape or not torch.equal(given, targets):
            fail("`train` must take the batches in their order, each with its own targets.")
        if step == 0:
            right = net(images).detach()
            expect_close(outputs, right, "The outputs of the first step", TOLERANCE)
        expect_outputs(outputs, images, f"The outputs of step {step + 1}")
        # Roundings are as large as the summands, which cancel each other in part.
        summands = linear_terms(outputs.abs(), targets.abs())
        for name, expected in done.terms.per_image(step).items():
            scale = float(summands[name]) / len(images) or 1.0
            value = torch.tensor(row[name] / scale, dtype=torch.float64)
            what = f'The term "{name}" of step {step + 1}, per image,'
            cause = "Note the batch's own terms, each divided by the batch's number of images."
            right = torch.tensor(expected / scale, dtype=torch.float64)
            expect_close(value, right, what, HISTORY_TOLERANCE, cause)


@pytest.mark.weight(1)
def test_every_batch_moves(student: Student, rng: torch.Generator) -> None:
    """What each batch does to the weights."""
    net, loader = still_net(), batches(rng)
    theirs = mirror(student, net)
    record, terms = student.tool("record_training", theirs), GivenTerms(student)
    student.train(net=theirs, loader=loader, loss_terms=terms.handle, epochs=EPOCHS)
    told, steps = training_of(student, record, net), EPOCHS * len(loader)
    taken = len(told["steps"])
    # A step that calls the backward pass itself finds no gradient at first.
    if taken > steps or (0 < taken < steps and len(told["backward"]) != steps):
        fail(f"The optimizer took {taken} steps for {steps} batches.")
    # With other targets in one batch, the weights end elsewhere: so that batch moved them. (But for
    # the first, at which a rate may begin with zero.)
    usual = train(student, net, loader, second=0.0).parameters[0]
    for n, (images, targets) in list(enumerate(loader))[1:]:
        changed = [*loader[:n], (images, -targets), *loader[n + 1 :]]
        if torch.equal(train(student, net, changed, second=0.0).parameters[0], usual):
            fail("Some batch moves no weight: take a step after every one, the last too.")


@pytest.mark.weight(1)
def test_every_epoch_draws_anew(student: Student, rng: torch.Generator) -> None:
    """What passes through the network in each epoch, with a loader that shuffles."""
    epochs, images = 3, torch.rand(4, 1, 6, 6, generator=rng)
    # Each epoch's batches are about one channel alone.
    targets = [
        torch.zeros(4, epochs, 4, 4).index_fill(1, torch.tensor(channel), 1.0)
        for channel in range(epochs)
    ]
    passes = [[(images, one), (images.flip(3), one)] for one in targets]
    loader = student.make("loader", "loader_of_epochs", passes)
    done = train(student, still_net(epochs), loader, epochs, second=0.0, per_epoch=2)
    seen = [given for _, given in done.terms.calls]
    if not all(torch.equal(one, targets[n // 2]) for n, one in enumerate(seen)) or not all(
        bool(kernel.any()) for kernel in done.parameters[0]
    ):
        fail(
            "Each epoch must pass through the loader once: a list of its batches, made once, would "
            "come in the same order each time."
        )


@pytest.mark.weight(4)
def test_steps(student: Student, rng: torch.Generator) -> None:
    """The gradient that each step follows."""
    expect_own_gradients(student, rng)
    images, targets = torch.rand(4, 1, 6, 6, generator=rng), torch.zeros(4, 3, 4, 4)
    targets[:, 0] = 1
    # About channel 0: one batch, the opposite, and nothing more. Gradients that pile up cancel each
    # other then, and the weights stay or go on; else they come back, whatever the optimizer.
    rest = [(images, targets.roll(1 + n % 2, 1)) for n in range(4)]
    loader = [(images, targets), (images, -targets), *rest]
    done = train(student, still_net(), loader, second=0.0)
    first = kernel_behind(done.terms.calls[1][0], images)
    gradient = gradient_by_kernel(images, targets)
    # A rate that begins at zero leaves nothing to see.
    still = float(first.abs().max()) < 1e-9
    if not still and not float((first * gradient).sum()) < 0:
        fail("The first step does not go down the gradient: is its sign right?")
    after = done.parameters[0][0, 0].double() - first
    if not still and not float((after * first).sum()) < -0.02 * float(first.square().sum()):
        fail("The second step follows the first batch's gradient, too: where is `zero_grad`?")
    # A batch of twice the same images has the same gradient per image, and so the same effect.
    some = batches(rng)
    double = [
        (torch.cat([x] * k), torch.cat([y] * k)) for k, (x, y) in zip((1, 2, 1), some, strict=True)
    ]
    once, twice = (
        train(student, still_net(), loader_of(student, one), per_epoch=len(one)).parameters[0]
        for one in (some, double)
    )
    scale = float(once.abs().max())
    cause = "Divide the loss by the number of images before the backward pass."
    what = "What is learned from a batch that holds each image twice"
    expect_close(twice / scale, once / scale, what, TOLERANCE, cause)


def kernel_behind(outputs: Tensor, images: Tensor) -> Tensor:
    """Return the kernel of channel 0 that makes these outputs: (3, 3) float64."""
    patches = F.unfold(images, 3).movedim(1, 2).flatten(0, 1).double()
    known = torch.cat([patches, torch.ones(len(patches), 1).double()], 1)
    found = outputs[:, 0].flatten().double()
    return torch.linalg.lstsq(known, found[:, None]).solution[:9, 0].reshape(3, 3)


def gradient_by_kernel(images: Tensor, targets: Tensor) -> Tensor:
    """Return the gradient of the first term by channel 0's kernel, per image: (3, 3) float64."""
    patches = F.unfold(images, 3).double()
    weights = targets[:, 0].flatten(1).double()
    return (patches * weights[:, None]).sum((0, 2)).reshape(3, 3) / len(images)


def expect_own_gradients(student: Student, rng: torch.Generator) -> None:
    """Compare the gradients that are recorded beside the loop, for a message that says more."""
    net, loader = small_net(rng), batches(rng)
    theirs = mirror(student, net)
    record, terms = student.tool("record_training", theirs), student.tool("given_terms")
    own = loader_of(student, loader)
    student.train(net=theirs, loader=own, loss_terms=terms, epochs=EPOCHS)
    told, steps = training_of(student, record, net), EPOCHS * len(loader)
    # As the backward pass left it; or, when there were more or none, as the optimizer found it.
    gradients = told["backward"]
    if len(gradients) != steps:
        gradients = expect_list(told["steps"], "The optimizer's steps", steps)
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
    """The network's mode in the training."""
    net, loader = nn.Sequential(nn.BatchNorm2d(1), small_net(rng)), batches(rng)
    theirs, terms = mirror(student, net), student.tool("given_terms")
    student.tell("set_training", theirs, False)
    student.train(net=theirs, loader=loader, loss_terms=terms, epochs=EPOCHS)
    found = student.tool("state", theirs)
    found = expect_keys(found, ("0.running_mean", "0.running_var"), "The network's state")
    for _ in range(EPOCHS):
        for images, _ in loader:
            net[0](images)  # in training mode: each batch moves its means
    for name, right in (("mean", net[0].running_mean), ("var", net[0].running_var)):
        expect_close(
            found[f"0.running_{name}"],
            right,
            f"The running {name} of a batch normalisation",
            TOLERANCE,
            cause="Is the network in training mode, and does it see each batch once an epoch?",
        )


@pytest.mark.weight(1)
def test_all_parameters_learn(student: Student, rng: torch.Generator) -> None:
    """Whether every parameter of the network is trained."""
    net = nn.Sequential(nn.Conv2d(1, 4, 2), nn.Conv2d(4, 3, 2))
    for weights in net.parameters():
        weights.data.copy_(torch.randn(weights.shape, generator=rng))
    done = train(student, net, batches(rng), EPOCHS)
    if any(map(torch.equal, done.parameters, net.parameters())):
        fail("Some parameters never change: does the optimizer know of all of them?")


@pytest.mark.weight(1)
def test_learns(student: Student, rng: torch.Generator) -> None:
    """The loss after many steps."""
    net, images = small_net(rng), torch.rand(16, 1, 6, 6, generator=rng)
    targets = torch.ones(16, 3, 4, 4)
    done = train(student, net, [(images, targets)] * 10, 3)
    weight, bias = done.parameters
    with torch.no_grad():
        before, after = (
            float(sum(linear_terms(outputs, targets).values())) / len(images)
            for outputs in (net(images), torch.conv2d(images, weight, bias))
        )
    if not after < before - 0.01:
        fail("After 30 steps the loss is no smaller than before: is the sign of the step right?")


@pytest.mark.weight(1)
def test_progress(student: Student, rng: torch.Generator, names: frozenset[str]) -> None:
    """The progress bar."""
    loader = batches(rng)
    train(student, still_net(), loader)  # what stands still makes no progress
    arguments = [mirror(student, small_net(rng)), loader, student.tool("given_terms"), EPOCHS]
    heard = student.tool("call_and_listen", student.fetch("train"), arguments)
    shown = expect_keys(heard, ("bar",), "The outcome")["bar"]
    if shown is not True or not names & PROGRESS:
        fail("`train` shows no progress: wrap the loader, or the steps, in `tqdm`.")


@pytest.mark.weight(2)
def test_curves(student: Student, rng: torch.Generator) -> None:
    """The figure of `plot_history`."""
    steps = randint(rng, 20, 40)
    rows = 5 * torch.rand(steps, 3, generator=rng) + 0.1
    names = ("detection", "classification", "regression")
    history = [dict(zip(names, row, strict=True)) for row in rows.tolist()]
    student.plot_history(history=[dict.fromkeys(names, 1.0) for _ in range(steps)])
    axes = axes_of(student, student.plot_history(history=history), "`plot_history`'s result")
    lines = [line for one in axes for line in one["lines"]]
    if any(line["y"].shape == (steps,) and (line["y"] == 1).all() for line in lines):
        fail("The figure holds the curves of an earlier call, too: make a new one each time.")
    check_history_figure(axes, history)
    other = [{"loc": 2.0 / n, "conf": 3.0 / n} for n in range(1, 9)]
    axes = axes_of(student, student.plot_history(history=other), "`plot_history`'s result")
    check_history_figure(axes, other)
