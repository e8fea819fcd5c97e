"""Visible checks of week 2. They test what the statements say on small public inputs."""

import itertools
import math

import torch
from torch import Tensor, nn

from detlab.checking.expect import (
    expect_close,
    expect_floats,
    expect_handle,
    expect_keys,
    expect_list,
    expect_number,
    expect_tensor,
    fail,
)
from detlab.checking.mirror import mirror
from detlab.checking.own_work import Seeded, expect_untouched
from detlab.checking.replies import axes_of, calls_of, counted_call, expect_form, parameters_of
from detlab.checking.student import Student
from detlab.checking.visible import visible
from detlab.grid import WindowGrid
from detlab.weeks.loaders import BudgetedLoader, offer
from detlab.weeks.training_tools import linear_terms
from detlab.weeks.week2.assertions import (
    OUTPUTS,
    SIDE,
    cause_outside,
    check_history,
    check_history_figure,
    check_output_size,
    check_predictions_figure,
    check_terms,
    check_windows_are_fair,
    expect_canvas,
    expect_grid,
    expect_output,
    make_net,
    training_of,
)
from detlab.weeks.week2.visible_images import (
    MANY,
    check_angles,
    check_borders,
    corners,
    cross,
    ink_of,
    placed,
    stroke,
    upright,
)
from detlab.weeks.week2.visible_scenes import (
    GRID,
    TOLERANCE,
    check_gradients,
    draw_weights,
    five_windows,
    known_terms,
    public_images,
    targets_by_hand,
)

NAMES = ("first", "second")  # of the terms of a loss that a loop is given
SIGMAS = 6  # of the correlation of two independent series


@visible("2.1")
def canvas(student: Student) -> None:
    """One 64×64 image, the same for equal seeds, another at the next call."""
    images = []
    for seed in (1, 2):
        student.seed(seed)  # other random numbers must not matter
        generator = student.tool("generator", 7)
        images += [
            expect_canvas(student.place_digit(digit=cross(), generator=generator)) for _ in range(2)
        ]
    first, second, *twins = images
    cause = "All chance must come from `generator`."
    for image, twin in zip((first, second), twins, strict=True):
        expect_close(twin, image, "The image of an equal seed", cause=cause)
    if torch.equal(first, second):
        fail("Two calls with one generator gave the same image.")
    expect_untouched(student, "place_digit", cross(), Seeded(5))


@visible("2.1")
def whole_digit(student: Student) -> None:
    """Scale, wholeness and place of ink in the patch's corners, over 240 images."""
    images, patch = placed(student, corners(), 3, MANY), ink_of(upright(corners()))
    ink = ink_of(images)
    shares = ink.mass / patch.mass
    low, high = float(shares.min()), float(shares.max())
    # 0.75² = 0.56 and 1.25² = 1.56, with room for interpolation by the nearest pixel, twice.
    if low < 0.4 or high > 2:
        fail(
            "The ink is more or less than one whole digit's, at any scale allowed.",
            f"From {low:.2f} to {high:.2f} times the patch's.",
        )
    if high < 1.1 or low > 0.9:
        fail(f"The scale hardly changes in {MANY} images.")
    # Ink grows as the square of the scale, which its spread tells too. Some images gain or lose a
    # line of pixels; half of them do not.
    usual = float((shares / (ink.size / patch.size) ** 2).median())
    if not 0.9 < usual < 1.1:
        fail(
            "Most digits have more or less ink than a whole one of their size. Do the corners of "
            "the patch stay when it turns?",
            f"Half of them have less than {usual:.2f} times as much.",
        )
    for places in (ink.across, ink.down):
        if float(places.min()) > 0.2 or float(places.max()) < 0.8:
            fail(f"In {MANY} images the digit never comes near a border of the canvas.")
    # The ink leaves 17 to 44 places in each direction.
    if float(torch.maximum(ink.across, ink.down).max()) < 1:
        fail(
            f"In {MANY} images the digit never touches the right nor the lower border: the last "
            "place at which it fits counts as well."
        )


@visible("2.1")
def greys(student: Student) -> None:
    """The greys of a digit whose lower half is faint."""
    digit = torch.zeros(1, 28, 28)
    digit[:, 5:14, 8:20], digit[:, 14:23, 8:20] = 0.7, 0.06
    for image in placed(student, digit, 11, 12):
        clear = image[image > 0.35]
        # Interpolation blurs the rim; the inner pixels stay as they were.
        grey = float(clear.median()) if len(clear) else 0.0
        if abs(grey - 0.7) > 0.04:
            fail(f"Ink of grey 0.7 comes out as {grey:.2f}: keep the greys of the patch.")
        faint = int(((image > 0.03) & (image < 0.09)).sum())
        if faint < 0.5 * len(clear):
            fail(
                "The faint half of the digit is lost: ink is every pixel greater than 0.",
                f"There are {faint} faint pixels and {len(clear)} others.",
            )


@visible("2.1")
def never_mirrored(student: Student) -> None:
    """Where the bright corner of a digit goes, over 30 images."""
    digit = torch.zeros(1, 28, 28)
    digit[:, 4:24, 4:24], digit[:, 4:13, 4:13] = 0.4, 1
    seen: set[str] = set()
    for image in placed(student, digit, 12, 30):
        ink, bright = (torch.nonzero(image > bound).double() for bound in (0, 0.7))
        if not len(bright):
            fail("The bright corner of the digit is gone.")
        down, right = (bright.mean(0) - ink.mean(0)).tolist()
        seen.add(f"{'lower' if down > 0 else 'upper'} {'right' if right > 0 else 'left'}")
    if seen != {"upper left"}:
        fail(
            "The upper left corner of the digit is bright, and a turn by 30° leaves it there: is "
            "the digit mirrored, or upside down?",
            f"In your images it is the {', the '.join(sorted(seen))} one.",
        )


@visible("2.1")
def chance(student: Student) -> None:
    """Angle, proportions and place of an upright stroke over 240 images."""
    ink, patch = ink_of(placed(student, stroke(), 13, MANY)), ink_of(upright(stroke()))
    check_angles(ink.turn)
    low, high = (ink.length / patch.length).quantile(torch.tensor([0.05, 0.95]).double()).tolist()
    # Nearest pixels stretch an image by a tenth now and then.
    if low < 0.87 or high > 1.15:
        fail(
            "The digit's proportions change: one factor must scale both directions.",
            f"It is stretched by {low:.2f} to {high:.2f}.",
        )
    check_borders(ink)
    series = {"angle": ink.turn, "scale": ink.size, "column": ink.across, "row": ink.down}
    for (one, a), (other, b) in itertools.combinations(series.items(), 2):
        if abs(float(torch.corrcoef(torch.stack([a, b]))[0, 1])) > SIGMAS / MANY**0.5:
            fail(
                f"The {one} and the {other} depend on each other: does one random number serve "
                "for both?"
            )


@visible("2.2")
def network_and_grid(student: Student) -> None:
    """The 15 channels of the output, and its size against `localization_grid`."""
    net = make_net(student)
    check_windows_are_fair(check_output_size(student, net, public_images(2, 1, SIDE, SIDE)))
    check_output_size(student, net, public_images(1, 1, SIDE, SIDE + 21))


@visible("2.2")
def cell_sees_its_window(student: Student) -> None:
    """What the first and the last cell see, outside and inside of their windows."""
    net, images = make_net(student), public_images(2, 1, SIDE, SIDE)
    grid = check_output_size(student, net, images)
    draw_weights(student, net, 1)
    for i, j in ((0, 0), (grid.count[0] - 1, grid.count[1] - 1)):
        top, left = i * grid.stride, j * grid.stride
        down, across = slice(top, top + grid.size), slice(left, left + grid.size)
        changed = torch.zeros_like(images)
        changed[:, :, down, across] = images[:, :, down, across]
        what = f"Cell ({i}, {j}), when only pixels outside its window change,"
        before, after = (expect_output(net(x), x)[..., i, j] for x in (images, changed))
        expect_close(
            after,
            before,
            what,
            1e-4,
            lambda _, cell=(i, j): cause_outside(net, images, grid, cell),
        )
        lines = {"first row": (top, across), "last row": (top + grid.size - 1, across)}
        lines |= {"first column": (down, left), "last column": (down, left + grid.size - 1)}
        for name, (rows, columns) in lines.items():
            bright = images.clone()
            bright[:, :, rows, columns] += 30  # more than any other pixel of a max-pooling
            if torch.allclose(expect_output(net(bright), bright)[..., i, j], before, 1e-6, 1e-7):
                fail(f"Cell ({i}, {j}) does not see the {name} of pixels of its window.")


@visible("2.2")
def raw_outputs(student: Student) -> None:
    """Whether the outputs are raw: how large and how small they get with large weights."""
    net, images = make_net(student), public_images(2, 1, SIDE, SIDE)
    expect_output(net(images), images)  # layers that wait for their input's size get it
    groups = {"detection logits": slice(0, 1), "class logits": slice(1, 11), "boxes": slice(11, 15)}
    least, most = dict.fromkeys(groups, math.inf), dict.fromkeys(groups, -math.inf)
    for seed in range(20):
        draw_weights(student, net, seed, 30)
        output = net(images)
        if isinstance(output, Tensor) and not bool(torch.isfinite(output).all()):
            return  # so large that nothing squeezes it
        output = expect_output(output, images)
        for name, channels in groups.items():
            least[name] = min(least[name], float(output[:, channels].min()))
            most[name] = max(most[name], float(output[:, channels].max()))
        if max(least.values()) < -3 and min(most.values()) > 3:
            return
    for name in groups:
        if least[name] >= -3 or most[name] <= 3:
            how = "are never negative" if least[name] >= 0 else "stay within bounds"
            fail(
                f"However large the weights, the {name} {how}: they must be raw, so no function "
                "may squeeze or cut them.",
                f"They go from {least[name]:.3g} to {most[name]:.3g}.",
            )


@visible("2.2")
def gradients_arrive(student: Student) -> None:
    """Whether gradients reach the parameters that the outputs depend on."""
    net, images = make_net(student), public_images(2, 1, SIDE, SIDE)
    expect_output(net(images), images)  # layers that wait for their input's size get it
    draw_weights(student, net, 1)
    before = expect_output(net(images), images)
    told = student.tool("slopes", net, [images], [public_images(*before.shape)])
    told = expect_form(told, {"slopes": [float], "frozen": [bool]}, "What the network learns")
    values = parameters_of(student, net, "the network", len(told["slopes"]))
    student.tool(
        "set_parameters",
        net,
        [
            weights if slope or frozen else 1.5 * weights + 0.1
            for weights, slope, frozen in zip(values, told["slopes"], told["frozen"], strict=False)
        ],
    )
    after = expect_floats(net(images), "The network's output for other weights", before.shape)
    if not torch.allclose(after.double(), before.double(), 1e-3, 1e-3):
        fail(
            "The outputs depend on parameters that no gradient reaches, so these never learn: is a "
            "part cut off, or run under `no_grad`?",
            f"Of {len(values)} parameters {told['slopes'].count(0.0)} get no gradient.",
        )


@visible("2.2")
def fresh_weights(student: Student) -> None:
    """The weights of two networks, and what becomes of the images."""
    images = public_images(2, 1, SIDE, SIDE)
    nets = [make_net(student) for _ in range(2)]
    expect_untouched(student, nets[0], images)
    nets[1](images)  # layers that wait for their input's size get it
    first, second = (parameters_of(student, net, "the network") for net in nets)
    if len(first) == len(second) and all(map(torch.equal, first, second)):
        fail("Two networks begin with the same weights: set no seed in the class.")


@visible("2.3")
def boxes(student: Student) -> None:
    """The box: inside, at the borders, in an image that is not square, faint, without ink."""
    for (height, width), (left, top, right, bottom), ink in (
        ((64, 64), (10, 20, 30, 50), 0.1),
        ((32, 64), (0, 0, 64, 3), 0.1),
        ((60, 20), (7, 59, 20, 60), 0.1),
        ((8, 8), (0, 0, 0, 0), 0.1),
        ((16, 24), (3, 5, 9, 12), 0.001),
        ((17, 23), (3, 5, 9, 12), 1e-8),
        ((1, 30), (6, 0, 21, 1), 0.5),
    ):
        image = torch.zeros(1, height, width)
        image[:, top:bottom, left:right] = ink
        expected = torch.tensor([left / width, top / height, right / width, bottom / height])
        box = student.digit_box(image=image)
        what = f"The box of ink of {ink} in an image of {height}×{width}"
        expect_close(box, expected, what, 1e-4)


@visible("2.4")
def targets(student: Student) -> None:
    """The targets of two boxes, whose centres lie on edges of windows."""
    some = torch.tensor([[0, 6, 32, 25], [34, 14, 62, 50]]) / SIDE
    answer = student.encode_targets(boxes=some, labels=torch.tensor([7, 3]), grid=GRID)
    answer = expect_tensor(answer, "`encode_targets`'s result", (2, 6, 3, 3))
    expected = targets_by_hand()
    what = (
        "Channel 0 (windows that hold the centre of the box: (0,0) and (0,1) in the first image, "
        "(1,2) and (2,2) in the second)"
    )
    expect_close(answer[:, 0], expected[:, 0], what)
    expect_close(answer[:, 1], expected[:, 1], "Channel 1, the label,")
    expect_close(answer[:, 2:], expected[:, 2:], "The box in the window's frame")
    if answer.dtype != torch.float32:
        fail(f"The targets must be float32, but are {answer.dtype}.")


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


@visible("2.5")
def terms(student: Student) -> None:
    """The terms of five windows, against what one computes by hand."""
    outputs, truth = five_windows()
    expected = {
        # ln(1 + exp(o)) where there is no digit, ln(1 + exp(-o)) where there is one.
        "detection": sum(math.log1p(math.exp(o)) for o in (1.0, -2.0, 3.0, 0.0, -0.3)),
        # Only windows two and five count; nine logits are 0, that of the digit is 1 or 3.
        "classification": math.log(9 + math.e) - 1 + math.log(9 + math.e**3) - 3,
        "regression": (0.4**2 + 0.8**2 + 2 * (0.2**2 + 0.3**2 + 0.4**2)) / 4,
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
    outputs, truth = five_windows()
    gradient = student.tool("gradient", function, outputs, truth)
    if gradient is None:
        fail("The loss is cut off from the outputs, so nothing can be learned.")
    gradient = expect_tensor(gradient, "The gradient", outputs.shape)
    for name, channels in (("class logits", slice(1, 11)), ("boxes", slice(11, 15))):
        if not bool((gradient[:, channels, :, 1] != 0).any()):
            fail(f"No gradient reaches the {name} of a window that was found.")
        if bool((gradient[:, channels, :, 0] != 0).any()):
            fail(f"A gradient reaches the {name} of a window in which the digit was missed.")
    total = student.tool("summed", student.fetch("localization_terms"))
    if student.tool("gradient", total, outputs, truth) is None:
        fail("The sum of the terms is cut off from the outputs: a training loop learns by them.")
    nothing = torch.zeros_like(truth)
    loss = student.localization_loss(outputs=outputs, targets=nothing)
    expect_tensor(loss, "The loss without any digit")
    empty = student.tool("gradient", function, outputs, nothing)
    if empty is not None:
        expect_tensor(empty, "The gradient without any digit", outputs.shape)


@visible("2.5")
def large_logits(student: Student) -> None:
    """The loss where the network is sure, right or wrong: logits of ±8 and of ±60."""
    outputs, truth = torch.zeros(1, OUTPUTS, 1, 4), torch.zeros(1, 6, 1, 4)
    outputs[0, 0, 0], truth[0, 0, 0] = torch.tensor([[8.0, 8, -8, -8], [1, 0, 1, 0]])
    for size in (8, 60):
        outputs[0, 0, 0] = size * outputs[0, 0, 0].sign()
        answer = student.localization_terms(outputs=outputs, targets=truth)
        expected = 2 * (math.log1p(math.exp(-size)) + size + math.log1p(math.exp(-size)))
        term = expect_keys(answer, ["detection"], "The terms")["detection"]
        term = torch.tensor(expect_number(term, "The term"))
        what = f"The detection term for logits of ±{size}, right in two windows and wrong in two,"
        expect_close(term, torch.tensor(expected), what, 1e-3)
    loss = student.localization_loss(outputs=outputs, targets=truth)
    expect_tensor(loss, "The loss for logits of ±60")
    gradient = student.tool("gradient", student.fetch("localization_loss"), outputs, truth)
    gradient = expect_tensor(gradient, "The gradient for logits of ±60", outputs.shape)
    what = "The gradient by logits of 60, 60, -60 and -60, right in the first window and the last,"
    cause = "Where the network is surely wrong, it has the most to learn: is something clamped?"
    expect_close(gradient[0, 0, 0], torch.tensor([0.0, 1, -1, 0]), what, 1e-3, cause)


@visible("2.6")
def loop(student: Student) -> None:
    """The batches that `train` passes, its history, and what it does to the weights."""
    net = nn.Conv2d(1, 2, 3)
    net.weight.data.abs_()  # so that no summands cancel each other
    loader = [(public_images(n, 1, 5, 5), torch.ones(n, 2, 3, 3)) for n in (4, 2)]
    theirs = mirror(student, net)
    calls, given = student.tool("record_calls", theirs), student.tool("given_terms")
    history = student.train(net=theirs, loader=loader, loss_terms=given, epochs=3)
    rows = check_history(history, NAMES, 6)
    for name, term in linear_terms(net(loader[0][0]), loader[0][1]).items():
        what = f'The term "{name}" of the first step, per image,'
        expect_close(
            torch.tensor(rows[0][name]).double(), term / len(loader[0][0]), what, TOLERANCE
        )
    if not rows[4]["second"] < rows[0]["second"]:
        fail("The loss on the first batch rises: each step must go down the gradient.")
    seen = calls_of(student, calls, "the network")
    if [shape[0] for shape, _ in seen if shape] != [4, 2] * 3:
        fail("Each batch must pass through the network once an epoch, in order.")
    if any(map(torch.equal, parameters_of(student, theirs, "the network", 2), net.parameters())):
        fail("The weights are as they were before.")


@visible("2.6")
def known_loss(student: Student) -> None:
    """Gradients and history of a loss whose values are known: batches of four and two images."""
    net, counts, values = nn.Conv2d(1, 2, 3), (4, 2), (1.0037, 5.0)
    loader = [
        (public_images(n, 1, 5, 5), torch.full((n, 2, 3, 3), value))
        for n, value in zip(counts, values, strict=True)
    ]
    theirs = mirror(student, net)
    record = student.tool("record_training", theirs)
    terms = student.make("function", "asking_terms", student.give(known_terms))
    own = student.make("loader", "loader_of_epochs", [loader])
    history = student.train(net=theirs, loader=own, loss_terms=terms, epochs=2)
    told = training_of(student, record, net)
    cause = "Note the batch's own terms, each divided by the batch's number of images."
    for step, row in enumerate(check_history(history, NAMES, 4)):
        # 18 outputs an image, whose targets are all one number in each batch.
        right = 18 * values[step % 2]
        for name, value in (("first", right), ("second", 2 * right)):
            what = f'The term "{name}" of step {step + 1}, per image,'
            expect_close(torch.tensor(row[name]), torch.tensor(value), what, 1e-4, cause)
    taken, passed = len(told["steps"]), len(told["backward"])
    # A step that calls the backward pass itself finds no gradient at first.
    if taken > 4 or (0 < taken < 4 and passed != 4):
        fail(f"The optimizer took {taken} steps for 4 batches.")
    check_gradients(told["backward"] if passed == 4 else told["steps"], loader)
    if 0 < taken < 3:
        fail(f"The optimizer took {taken} steps for 4 batches: take one after each.")


@visible("2.6")
def whole_network(student: Student) -> None:
    """Training mode, and the weights of all layers."""
    net = nn.Sequential(nn.BatchNorm2d(1), nn.Conv2d(1, 3, 2), nn.Conv2d(3, 2, 2))
    net[0].weight.data += 0.5
    loader = [(public_images(4, 1, 5, 5), torch.ones(4, 2, 3, 3))] * 3
    theirs = mirror(student, net)
    student.tell("set_training", theirs, False)
    given = student.tool("given_terms")
    student.train(net=theirs, loader=loader, loss_terms=given, epochs=1)
    state = expect_keys(student.tool("state", theirs), ["0.running_mean"], "The network's state")
    for images, _ in loader:
        net[0](images)  # in training mode each batch moves its mean
    what, cause = "The running mean of a batch normalisation", "Is the network in training mode?"
    right = net[0].running_mean
    assert isinstance(right, Tensor)
    expect_close(state["0.running_mean"], right, what, TOLERANCE, cause)
    before = list(net.parameters())
    after = parameters_of(student, theirs, "the network", len(before))
    still = sum(map(torch.equal, after, before))
    if still:
        fail(
            "Some weights never change: does the optimizer know of all parameters?",
            f"{still} of {len(before)} parameters are as they were.",
        )


@visible("2.6")
def progress(student: Student) -> None:
    """The progress bar."""
    net = mirror(student, nn.Conv2d(1, 2, 3))
    loader = [(public_images(2, 1, 5, 5), torch.ones(2, 2, 3, 3))] * 3
    arguments = [net, loader, student.tool("given_terms"), 2]
    heard = student.tool("call_and_listen", student.fetch("train"), arguments)
    if expect_keys(heard, ["bar"], "The outcome")["bar"] is not True:
        fail("`train` shows no progress: wrap the loader, or the steps, in `tqdm`.")


@visible("2.6")
def curves(student: Student) -> None:
    """The figure of `plot_history`: a curve for each term, a legend and labels."""
    history = [{"detection": 9.0 / n, "classification": 4 - 0.1 * n} for n in range(1, 12)]
    axes = axes_of(student, student.plot_history(history=history), "`plot_history`'s result")
    check_history_figure(axes, history)


@visible("2.7")
def predictions(student: Student) -> None:
    """The label and the box of the surest window, in fractions of the image."""
    outputs = torch.zeros(3, OUTPUTS, 2, 3)
    # The best windows are not those that are surest of ink.
    ink = 9 * torch.arange(6.0).view(2, 3)
    outputs[:, 0] = torch.stack([9 - ink, 9 - ink, ink])
    outputs[:, 1:11] = public_images(3, 10, 2, 3)
    outputs[:, 1:11, 0, 1] += 6  # large, but sure of nothing
    best = {0: (7, 1, 2), 1: (3, 1, 0), 2: (5, 0, 2)}
    for n, (digit, row, column) in best.items():
        outputs[n, 1 + digit, row, column] = 5 + n
    # Each window has a box of its own; the last image's sticks out of the image.
    outputs[:, 11:] = torch.tensor([0.25, 0.0, 0.75, 1.0]).view(1, 4, 1, 1)
    outputs[:, 11:] += torch.arange(6.0).view(2, 3) / 32
    outputs[2, 11:] *= torch.tensor([1.0, -2.0, 2.0, 1.0]).view(4, 1, 1)
    grid = WindowGrid(32, 16, (2, 3))
    answer = student.predict(outputs=outputs, grid=grid)
    labels, found = expect_list(answer, "`predict`'s result (labels, boxes)", 2)
    expect_close(labels, torch.tensor([7, 3, 5]), "The labels")
    expected = torch.tensor([[45, 21, 61, 53], [11, 19, 27, 51], [42, -4, 84, 34]]) / SIDE
    expect_close(found, expected, "The boxes")
    expect_untouched(student, "predict", outputs, grid)


@visible("2.8")
def figure(student: Student) -> None:
    """The figure: 6×5 images, green and red boxes and both labels."""
    corners = public_images(60, 2) / 2
    some = torch.cat([corners, corners + 0.1 + public_images(60, 2).flip(1) / 3], 1)
    scene = {
        "images": public_images(30, 1, 24, 40),
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
