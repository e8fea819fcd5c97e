"""Visible checks of week 2. They test what the statements say on small public inputs."""

import math

import torch
from torch import Tensor, nn

from detlab.checking.expect import (
    expect_close,
    expect_handle,
    expect_list,
    expect_tensor,
    fail,
)
from detlab.checking.mirror import mirror
from detlab.checking.replies import axes_of, calls_of, counted_call, parameters_of
from detlab.checking.student import Student
from detlab.checking.visible import visible
from detlab.grid import WindowGrid
from detlab.weeks.loaders import BudgetedLoader, offer
from detlab.weeks.training_tools import linear_terms
from detlab.weeks.week2.assertions import (
    OUTPUTS,
    SIDE,
    check_history,
    check_history_figure,
    check_output_size,
    check_predictions_figure,
    check_terms,
    check_windows_are_fair,
    expect_canvas,
    expect_grid,
    expect_output,
    ink_box,
    make_net,
)

GRID = WindowGrid(32, 16, (3, 3))


def public_images(*shape: int) -> Tensor:
    """Return the same random images each time, in [0, 1)."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


def cross() -> Tensor:
    """Return a patch with a thick cross that reaches its border."""
    patch = torch.zeros(1, 28, 28)
    patch[:, 11:17], patch[:, :, 11:17] = 1, 1
    return patch


@visible("2.1")
def canvas(student: Student) -> None:
    """One 64×64 image, the same for equal seeds, another at the next call."""
    generators = [student.tool("generator", 7) for _ in range(2)]
    first, twin = (
        expect_canvas(student.place_digit(digit=cross(), generator=generator))
        for generator in generators
    )
    cause = "All chance must come from `generator`."
    expect_close(twin, first, "The image of an equal seed", cause=cause)
    second = expect_canvas(student.place_digit(digit=cross(), generator=generators[0]))
    if torch.equal(first, second):
        fail("Two calls with one generator gave the same image.")


@visible("2.1")
def whole_digit(student: Student) -> None:
    """Scale, wholeness and place of the digit over 60 images."""
    generator, ink = student.tool("generator", 3), float(cross().sum())
    left, top, shares = [], [], []
    for _ in range(60):
        image = expect_canvas(student.place_digit(digit=cross(), generator=generator))
        box = ink_box(image)
        left.append(box[0] / (SIDE - box[2] + box[0]))
        top.append(box[1] / (SIDE - box[3] + box[1]))
        shares.append(float(image.sum()) / ink)
    # 0.75² = 0.56 and 1.25² = 1.56, with room for interpolation by the nearest pixel, twice.
    if min(shares) < 0.46 or max(shares) > 1.85:
        fail(
            "The ink is more or less than one whole digit's, at any scale allowed.",
            f"From {min(shares):.2f} to {max(shares):.2f} times the patch's.",
        )
    if max(shares) < 1.1 or min(shares) > 0.9:
        fail("The scale hardly changes in 60 images.")
    if min(*left, *top) > 0.2 or max(*left, *top) < 0.8:
        fail("In 60 images the digit never comes near a border of the canvas.")


@visible("2.2")
def network_and_grid(student: Student) -> None:
    """The 15 channels of the output, and its size against `localization_grid`."""
    net = make_net(student)
    check_windows_are_fair(check_output_size(student, net, public_images(2, 1, SIDE, SIDE)))
    check_output_size(student, net, public_images(1, 1, SIDE, SIDE + 21))


@visible("2.2")
def cell_sees_its_window(student: Student) -> None:
    """What the first cell sees outside of the first window."""
    net, images = make_net(student), public_images(1, 1, SIDE, SIDE)
    size = expect_grid(student.localization_grid(input_size=(SIDE, SIDE))).size
    changed = torch.zeros_like(images)
    changed[:, :, :size, :size] = images[:, :, :size, :size]
    what = "Cell (0, 0), when only pixels outside its window change,"
    cause = "It must stay as it is: is a layer padded, or the window larger than you say?"
    before, after = (expect_output(net(x), x)[..., 0, 0] for x in (images, changed))
    expect_close(after, before, what, 1e-4, cause)


@visible("2.3")
def boxes(student: Student) -> None:
    """The box: inside, at the borders, in an image that is not square, without ink."""
    for (height, width), (left, top, right, bottom) in {
        (64, 64): (10, 20, 30, 50),
        (32, 64): (0, 0, 64, 3),
        (60, 20): (7, 59, 20, 60),
        (8, 8): (0, 0, 0, 0),
    }.items():
        image = torch.zeros(1, height, width)
        image[:, top:bottom, left:right] = 0.1
        expected = torch.tensor([left / width, top / height, right / width, bottom / height])
        box = student.digit_box(image=image)
        expect_close(box, expected, f"The box in an image of {height}×{width}", 1e-4)


def targets_by_hand() -> Tensor:
    """Return the targets of the box (16, 8, 32, 24) px, label 7, for `GRID`."""
    targets = torch.zeros(1, 6, 3, 3)
    targets[0, :, 0, 0] = torch.tensor([1, 7, 0.5, 0.25, 1.0, 0.75])
    targets[0, :, 0, 1] = torch.tensor([1, 7, 0.0, 0.25, 0.5, 0.75])
    targets[0, :, 1, 0] = torch.tensor([1, 7, 0.5, -0.25, 1.0, 0.25])
    targets[0, :, 1, 1] = torch.tensor([1, 7, 0.0, -0.25, 0.5, 0.25])
    return targets


@visible("2.4")
def targets(student: Student) -> None:
    """The targets of a box that four of nine windows see."""
    box = torch.tensor([[0.25, 0.125, 0.5, 0.375]])
    answer = student.encode_targets(boxes=box, labels=torch.tensor([7]), grid=GRID)
    answer = expect_tensor(answer, "`encode_targets`'s result", (1, 6, 3, 3))
    expected = targets_by_hand()
    what = "Channel 0 (windows that share an area with the box: (0,0), (0,1), (1,0), (1,1))"
    expect_close(answer[:, 0], expected[:, 0], what)
    expect_close(answer[:, 1], expected[:, 1], "Channel 1, the label,")
    expect_close(answer[:, 2:], expected[:, 2:], "The box in the window's frame")


@visible("2.4")
def vectorised(student: Student) -> None:
    """The steps that more images or more windows take."""
    steps = []
    for count, grid in ((2, GRID), (200, GRID), (2, WindowGrid(4, 1, (61, 61)))):
        some = torch.tensor([[0.25, 0.125, 0.5, 0.375]]).repeat(count, 1)
        arguments = [some, torch.arange(count) % 10, grid]
        other = [some[:1], torch.tensor([3]), WindowGrid(30, 17, (3, 3))]
        steps.append(counted_call(student, "encode_targets", arguments, other)[0])
    if min(steps) < 1:
        fail("The steps of `encode_targets` could not be counted: leave Python's tracing alone.")
    for taken, what in zip(steps[1:], ("images", "windows"), strict=True):
        if taken > steps[0] + 100:
            fail(
                f"The number of steps grows with the number of {what}: half of the points ask "
                "that it does not.",
                f"{steps[0]} steps became {taken}.",
            )


def three_windows() -> tuple[Tensor, Tensor]:
    """Return outputs and targets of three windows.

    In the first a digit is missed, in the second one is found, in the third one is imagined.
    """
    outputs, truth = torch.zeros(1, OUTPUTS, 1, 3), torch.zeros(1, 6, 1, 3)
    outputs[0, 0, 0] = torch.tensor([-1.0, 2.0, 3.0])
    outputs[0, 1 + 4] = 1  # the logit of the digit 4
    outputs[0, 11] = 0.5
    truth[0, :2, 0, :2] = torch.tensor([[1.0], [4.0]])
    truth[0, 2:, 0, :2] = torch.tensor([0.1, 0.2, 0.3, 0.4])[:, None]
    return outputs, truth


@visible("2.5")
def terms(student: Student) -> None:
    """The terms of three windows, against what one computes by hand."""
    outputs, truth = three_windows()
    expected = {
        "detection": math.log1p(math.exp(1)) + math.log1p(math.exp(-2)) + math.log1p(math.exp(3)),
        # Only the second window counts; nine logits are 0, that of the digit is 1.
        "classification": math.log(9 + math.e) - 1,
        "regression": (0.4**2 + 0.2**2 + 0.3**2 + 0.4**2) / 4,
    }
    expected = {name: torch.tensor(value) for name, value in expected.items()}
    answer = student.localization_terms(outputs=outputs, targets=truth)
    check_terms(answer, expected, 1e-5)
    loss = student.localization_loss(outputs=outputs, targets=truth)
    loss = expect_tensor(loss, "`localization_loss`'s result").reshape(-1)
    expect_close(loss, sum(expected.values()).reshape(1), "The loss")


@visible("2.5")
def gradients(student: Student) -> None:
    """The gradient with found windows, and without any."""
    function = student.fetch("localization_loss")
    outputs, truth = three_windows()
    gradient = student.tool("gradient", function, outputs, truth)
    if gradient is None:
        fail("The loss is cut off from the outputs, so nothing can be learned.")
    gradient = expect_tensor(gradient, "The gradient", outputs.shape)
    for name, channels in (("class logits", slice(1, 11)), ("boxes", slice(11, 15))):
        if not bool((gradient[:, channels, :, 1] != 0).any()):
            fail(f"No gradient reaches the {name} of a window that was found.")
        if bool((gradient[:, channels, :, 0] != 0).any()):
            fail(f"A gradient reaches the {name} of a window in which the digit was missed.")
    nothing = torch.zeros_like(truth)
    loss = student.localization_loss(outputs=outputs, targets=nothing)
    expect_tensor(loss, "The loss without any digit")
    empty = student.tool("gradient", function, outputs, nothing)
    if empty is not None:
        expect_tensor(empty, "The gradient without any digit", outputs.shape)


@visible("2.6")
def loop(student: Student) -> None:
    """The batches that `train` passes, its history, and what it does to the weights."""
    net = nn.Conv2d(1, 2, 3)
    net.weight.data.abs_()  # so that no summands cancel each other
    loader = [(public_images(n, 1, 5, 5), torch.ones(n, 2, 3, 3)) for n in (4, 2)]
    theirs = mirror(student, net)
    calls, given = student.tool("record_calls", theirs), student.tool("given_terms")
    history = student.train(net=theirs, loader=loader, loss_terms=given, epochs=3)
    rows = check_history(history, ("first", "second"), 6)
    for name, term in linear_terms(net(loader[0][0]), loader[0][1]).items():
        what = f'The term "{name}" of the first step, per image,'
        # A network run in half precision is off by a thousandth of the summands.
        expect_close(torch.tensor(rows[0][name]).double(), term / len(loader[0][0]), what, 2e-2)
    if not rows[4]["second"] < rows[0]["second"]:
        fail("The loss on the first batch rises: each step must go down the gradient.")
    seen = calls_of(student, calls, "the network")
    if [shape[0] for shape, _ in seen if shape] != [4, 2] * 3:
        fail("Each batch must pass through the network once an epoch, in order.")
    if any(map(torch.equal, parameters_of(student, theirs, "the network", 2), net.parameters())):
        fail("The weights are as they were before.")


@visible("2.6")
def curves(student: Student) -> None:
    """The figure of `plot_history`: a curve for each term, a legend and labels."""
    history = [{"detection": 9.0 / n, "classification": 4 - 0.1 * n} for n in range(1, 12)]
    axes = axes_of(student, student.plot_history(history=history), "`plot_history`'s result")
    check_history_figure(axes, history)


@visible("2.7")
def predictions(student: Student) -> None:
    """The label and the box of the surest window, in fractions of the image."""
    outputs = torch.zeros(2, OUTPUTS, 2, 3)
    outputs[:, 0] = 9 * torch.arange(6.0).view(2, 3)
    outputs[0, 1 + 7, 1, 2], outputs[1, 1 + 3, 1, 0] = 5, 4
    outputs[1, 1:11, 0, 1] = 6  # large, but sure of nothing
    # Each window has a box of its own.
    outputs[:, 11:] = torch.tensor([0.25, 0.0, 0.75, 1.0]).view(1, 4, 1, 1)
    outputs[:, 11:] += torch.arange(6.0).view(2, 3) / 32
    answer = student.predict(outputs=outputs, grid=WindowGrid(32, 16, (2, 3)))
    labels, found = expect_list(answer, "`predict`'s result (labels, boxes)", 2)
    expect_close(labels, torch.tensor([7, 3]), "The labels")
    expected = torch.tensor([[45, 21, 61, 53], [11, 19, 27, 51]]) / SIDE
    expect_close(found, expected, "The boxes")


@visible("2.8")
def figure(student: Student) -> None:
    """The figure: 6×5 images, green and red boxes and both labels."""
    corners = public_images(60, 2) / 2
    some = torch.cat([corners, corners + 0.1 + public_images(60, 2).flip(1) / 3], 1)
    scene = {
        "images": public_images(30, 1, 32, 32),
        "true_boxes": some[:30],
        "true_labels": torch.arange(30) % 10,
        "boxes": some[30:],
        "labels": torch.arange(30) // 3,
    }
    axes = axes_of(student, student.show_predictions(**scene), "`show_predictions`'s result")
    check_predictions_figure(axes, **scene)


@visible("2.9")
def short_training(student: Student) -> None:
    """`train_localizer` for two passes over 32 images."""
    grid = expect_grid(student.localization_grid(input_size=(SIDE, SIDE)))
    loader = BudgetedLoader(batch_size=16, max_steps=4, cpu_s=60.0, seed=0)
    images = (255 * public_images(32, 1, SIDE, SIDE)).to(torch.uint8)
    loader.add(images, torch.zeros(32, 6, *grid.count))
    net = student.train_localizer(loader=offer(student, loader), epochs=2)
    net = expect_handle(net, "`train_localizer`'s result", "the trained network")
    student.tool("set_training", net, False)
    output = net(images[:2].float() / 255)
    expect_tensor(output, "The trained network's output", (2, OUTPUTS, *grid.count))
    if not loader.progress.steps:
        fail("The loader offered batches, of which none was taken.")
