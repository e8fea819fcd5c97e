"""Visible checks of week 1. They test what the statements say on small public inputs."""

from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor, nn

from detlab.checking.expect import (
    expect_close,
    expect_equal,
    expect_floats,
    expect_handle,
    expect_int,
    expect_ints,
    expect_keys,
    expect_list,
    expect_number,
    expect_tensor,
    fail,
)
from detlab.checking.mirror import mirror
from detlab.checking.replies import axes_of, calls_of, parameters_of, shapes_of
from detlab.checking.student import Handle, Student
from detlab.checking.visible import visible
from detlab.checking.wording import listed
from detlab.grid import WindowGrid
from detlab.weeks.week1.assertions import check_rows, check_sizes, check_times_figure
from detlab.weeks.week1.visible_scenes import (
    check_activations,
    check_own_weights,
    check_pooling,
    check_windows,
    fill,
    numbered_images,
    public_images,
)

WINDOW, STRIDE = 14, 2
# Shapes of weights and biases: of the convolution, then of the linear layers.
LAYERS = ((16, 3, 5, 5), (16,), (400, 400), (400,), (400, 400), (400,), (4, 400), (4,))


@visible("1.2")
def network_shapes(student: Student) -> None:
    """The layers of `build_network`, by their weights, and the shape of its scores."""
    net = expect_handle(student.build_network(), "`build_network`'s result", "an nn.Module")
    shapes = Counter(shapes_of(student, net, "The network"))
    if not shapes:
        fail("The module has no parameters: layers in a plain list are not registered.")
    lacking, strange = (
        listed(sorted((Counter(one) - Counter(other)).elements()) or ["none"])
        for one, other in ((LAYERS, shapes), (shapes, LAYERS))
    )
    if shapes != Counter(LAYERS):
        fail(
            "Some layer is another one than in the picture: of its weights and biases the shapes "
            f"{lacking} are lacking; of others there are {strange}."
        )
    expect_tensor(net(public_images(5, 3, 14, 14)), "The network's output", (5, 4))


def expect_own_weights(student: Student, build: Callable[[], Handle], what: str) -> None:
    """Build two networks; their weights must differ."""
    first, second = (parameters_of(student, build(), "a network") for _ in range(2))
    if any(torch.equal(a, b) for a, b in zip(first, second, strict=False)):
        fail(f"Two calls of {what} must give two networks with random weights of their own.")


@visible("1.2")
def fresh_and_steady(student: Student) -> None:
    """The weights of two networks, and the answers to one question twice."""
    net = expect_handle(student.build_network(), "`build_network`'s result", "an nn.Module")
    images = public_images(5, 3, 14, 14)
    answer = expect_tensor(net(images), "The network's output")
    expect_close(net(images), answer, "The network's second answer to the same images")
    expect_own_weights(student, student.build_network, "`build_network`")


@visible("1.2")
def raw_scores(student: Student) -> None:
    """Whether the scores are raw: nothing squeezes or clips them at the end."""
    net = expect_handle(student.build_network(), "`build_network`'s result", "an nn.Module")
    scores = expect_floats(net(100 * public_images(64, 3, 14, 14)), "The scores", (64, 4))
    if bool((scores.abs() <= 1).all()):
        fail("No score leaves [-1, 1], even for huge inputs: is there a softmax at the end?")
    if bool((scores.logsumexp(1).abs() < 1e-3).all()):
        fail("The scores are logarithms of probabilities: is there a log-softmax at the end?")
    if bool((scores == 0).any()):
        fail("Some scores are exactly 0: is there a ReLU at the end?")


@visible("1.2")
def pooling_and_activations(student: Student) -> None:
    """Max-pooling and the ReLUs, seen with weights that average."""
    net = expect_handle(student.build_network(), "`build_network`'s result", "an nn.Module")
    check_pooling(student, net, "the network", WINDOW)
    check_activations(student, net, "the network", WINDOW)


def check_conversion(
    student: Student, in_shape: tuple[int, int, int], bias: bool, dtype: torch.dtype = torch.float32
) -> None:
    """Compare a converted linear layer with the layer itself, in the corner of a larger map."""
    linear = nn.Linear(torch.Size(in_shape).numel(), 7, bias=bias, dtype=dtype)
    fill(linear)
    theirs = mirror(student, linear)
    conv = student.linear_to_conv(linear=theirs, in_shape=in_shape)
    expect_handle(conv, "`linear_to_conv`'s result", "an nn.Conv2d")
    channels, height, width = in_shape
    maps = public_images(3, channels, height + 1, width + 2).to(dtype)
    answer = expect_tensor(conv(maps), "The output on a larger map", (3, 7, 2, 3))
    expected = linear(maps[:, :, 1:, 2:].flatten(1))
    expect_close(answer[:, :, 1, 2], expected, f"The convolution's output for in_shape {in_shape}")
    flat = maps[:, :, :height, :width].flatten(1)
    expect_close(theirs(flat), linear(flat), "The output of `linear` after the call")


@visible("1.3")
def square_map(student: Student) -> None:
    """The convolution against the linear layer, on a square map."""
    check_conversion(student, (16, 5, 5), bias=True)


@visible("1.3")
def other_maps(student: Student) -> None:
    """The same on a map that is not square, without a bias, and in float64."""
    check_conversion(student, (2, 3, 4), bias=True)
    check_conversion(student, (4, 2, 2), bias=False)
    check_conversion(student, (2, 2, 2), bias=True, dtype=torch.float64)


def small_net() -> nn.Sequential:
    """Return a small window classifier, (N, 2, 8, 8) to (N, 3), with stride 2."""
    net = nn.Sequential(
        *(nn.Conv2d(2, 4, 2), nn.ReLU(), nn.MaxPool2d(3, stride=2), nn.Conv2d(4, 6, 2)),
        *(nn.Flatten(), nn.Linear(24, 5, bias=False), nn.ReLU(), nn.Linear(5, 3)),
    )
    fill(net)
    return net


@visible("1.4")
def twin_agrees(student: Student) -> None:
    """The twin against the net, on one window and on each of a larger image."""
    net, images = small_net(), public_images(2, 2, 12, 15)
    twin = student.convolutionalize(net=mirror(student, net))
    output = expect_handle(twin, "`convolutionalize`'s result", "an nn.Module")(images)
    expect_tensor(output, "The twin's output", (2, 3, 3, 4))
    for row, column in ((0, 0), (0, 3), (2, 1)):
        window = images[:, :, 2 * row : 2 * row + 8, 2 * column : 2 * column + 8]
        what = f"The twin's output in cell ({row}, {column})"
        expect_close(output[:, :, row, column], net(window), what)


@visible("1.4")
def twin_shares(student: Student) -> None:
    """The twin after the net's weights change in place, and the net itself."""
    net, window = small_net(), public_images(2, 2, 8, 8)
    theirs = mirror(student, net)
    twin = student.convolutionalize(net=theirs)
    before = expect_handle(twin, "`convolutionalize`'s result", "an nn.Module")(window)
    right = net(window)[:, :, None, None].detach()
    agreed = isinstance(before, Tensor) and before.shape == right.shape
    agreed = agreed and before.dtype == right.dtype
    agreed = agreed and torch.allclose(before, right, rtol=1e-4, atol=1e-5)
    expect_close(
        theirs(window),
        net(window),
        "The answer of `net` after the call",
        cause="`convolutionalize` must leave `net` as it was.",
    )
    steps = [torch.full_like(weights, 0.1) for weights in net.parameters()]
    student.tool("add_to_parameters", theirs, steps)
    with torch.no_grad():
        for weights, step in zip(net.parameters(), steps, strict=True):
            weights.add_(step)
    expect_close(
        twin(window),
        net(window)[:, :, None, None],
        "The twin's answer after a step",
        cause="The twin must look at the memory of net's parameters, biases too, and not copy."
        if agreed
        else "It was another one before the step already.",
    )


@visible("1.5")
def window_places(student: Student) -> None:
    """The windows of a non-square batch, each in its place."""
    images = numbered_images(2, 3, 7, 9)
    windows = student.extract_windows(images=images, size=4, stride=2)
    windows = expect_tensor(windows, "`extract_windows`' result", (2, 2, 3, 3, 4, 4))
    whole_numbers = torch.arange(25).reshape(1, 1, 5, 5)
    answer = student.extract_windows(images=whole_numbers, size=3, stride=2)
    if expect_tensor(answer, "`extract_windows`' result").dtype != torch.int64:
        fail("`extract_windows` must keep the dtype of the images.")
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 2)):
        expected = images[:, :, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4]
        expect_close(windows[:, row, column], expected, f"Window ({row}, {column})")


@visible("1.5")
def slide_places(student: Student) -> None:
    """The scores of the windows, each in its place."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(2 * 5 * 5, 3))
    images = public_images(2, 2, 8, 12)
    theirs = mirror(student, net)
    one = student.slide(net=theirs, images=images[:1, :, :5, :5], size=5, stride=3)
    expect_tensor(one, "`slide`'s result for a single window", (1, 3, 1, 1))
    scores = student.slide(net=theirs, images=images, size=5, stride=3)
    scores = expect_tensor(scores, "`slide`'s result", (2, 3, 2, 3))
    for row, column in ((0, 0), (0, 2), (1, 1)):
        window = images[:, :, 3 * row : 3 * row + 5, 3 * column : 3 * column + 5]
        expect_close(scores[:, :, row, column], net(window), f"The scores of ({row}, {column})")


def expect_mode(net: Handle, training: bool, what: str) -> None:
    """Check that a network is in the mode that it was in before."""
    if net.get("training") is not training:
        mode = "training" if training else "evaluation"
        fail(f"{what} must leave the network in its mode: it was in {mode} mode before.")


@visible("1.5")
def net_as_before(student: Student) -> None:
    """The mode of the net after `slide`, training or evaluation."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(18, 3))
    fill(net)
    for training in (True, False):
        theirs = mirror(student, net)
        student.tell("set_training", theirs, training)
        student.slide(net=theirs, images=public_images(1, 2, 5, 5), size=3, stride=2)
        expect_mode(theirs, training, "`slide`")


@visible("1.6")
def norm_of_difference(student: Student) -> None:
    """`difference_norm`, the Euclidean norm of all differences, as a float."""
    net, twin = nn.Sequential(nn.Flatten(), nn.Linear(48, 2)), nn.Conv2d(3, 2, 4, stride=2)
    fill(net)
    images = public_images(2, 3, 8, 10)  # 3 × 4 windows each, so 24 of each score
    for what, order, offset in (
        ("a true twin", [0, 1], [0.0, 0.0]),
        ("a twin with 0.5 and 0.2 added to the two scores", [0, 1], [0.5, 0.2]),
        ("a twin with its scores exchanged", [1, 0], [0.0, 0.0]),
    ):
        twin.weight.data = net[1].weight.data.view(2, 3, 4, 4)[order]
        twin.bias.data = net[1].bias.data[order] + torch.tensor(offset)
        theirs = {"net": mirror(student, net), "twin": mirror(student, twin)}
        value = student.difference_norm(**theirs, images=images, size=4, stride=2)
        number = expect_number(value, "`difference_norm`'s result")
        if type(value) is not float:
            fail("`difference_norm` must return a Python float: `.item()` makes one of a tensor.")
        scores = twin(images)
        exchanged = (scores - scores.flip(1)).norm().item()
        expected = exchanged if order == [1, 0] else (24 * (offset[0] ** 2 + offset[1] ** 2)) ** 0.5
        if abs(number - expected) > 1e-3 * (1 + expected):
            fail(f"`difference_norm` must be {expected:.4g} for {what}, but is {number:.4g}.")


@visible("1.6")
def networks_as_before(student: Student) -> None:
    """The networks' modes after `difference_norm`, and whether gradients are off."""
    net, twin = nn.Sequential(nn.Flatten(), nn.Linear(48, 2)), nn.Conv2d(3, 2, 4, stride=2)
    fill(net)
    fill(twin)
    for training in (True, False):
        theirs = {"net": mirror(student, net), "twin": mirror(student, twin)}
        records = [student.tool("record_calls", one) for one in theirs.values()]
        for one in theirs.values():
            student.tell("set_training", one, training)
        student.difference_norm(**theirs, images=public_images(1, 3, 6, 8), size=4, stride=2)
        for one in theirs.values():
            expect_mode(one, training, "`difference_norm`")
        calls = [call for record in records for call in calls_of(student, record, "a network")]
        if any(gradients for _, gradients in calls):
            fail("`difference_norm` must run both networks inside `torch.no_grad()`.")


@visible("1.6")
def sizes_and_letter(student: Student) -> None:
    """`unseen`, and the form of `my_sizes` and `answer_1_6`; the letter itself graders look at."""
    check_sizes(student.fetch("my_sizes"))
    for height, width, expected in ((14, 15, (0, 1)), (28, 30, (0, 0)), (33, 16, (1, 0))):
        what = f"`unseen({height}, {width})`"
        left_over = expect_ints(student.unseen(height=height, width=width), what, 2)
        expect_equal(left_over, expected, what)
    if str(student.fetch("answer_1_6")).strip().upper() not in list("ABCDE"):
        fail('`answer_1_6` must be one of the letters "A" to "E".')


@visible("1.7")
def times_are_measured(student: Student) -> None:
    """The rows of `time_both`, and what it runs for each side."""
    net = mirror(student, nn.Sequential(nn.Flatten(), nn.Linear(588, 4)))
    twin = mirror(student, nn.Conv2d(3, 4, WINDOW, stride=STRIDE))
    calls = {"net": student.tool("record_calls", net), "twin": student.tool("record_calls", twin)}
    rows = student.time_both(net=net, twin=twin, sides=[14, 20])
    recorded = {name: calls_of(student, calls[name], f"`{name}`") for name in calls}
    check_rows(rows, [14, 20], recorded["net"], recorded["twin"])


@visible("1.7")
def times_are_plotted(student: Student) -> None:
    """The figure of `plot_times`: both times, and their ratio beside them."""
    rows = [
        {"side": 14, "sequential_s": 0.004, "convolutional_s": 0.004, "ratio": 1.0},
        {"side": 28, "sequential_s": 0.030, "convolutional_s": 0.010, "ratio": 3.0},
        {"side": 56, "sequential_s": 0.200, "convolutional_s": 0.040, "ratio": 5.0},
    ]
    axes = axes_of(student, student.plot_times(rows=rows), "`plot_times`' result")
    check_times_figure(axes, rows)


@visible("1.8")
def other_networks(student: Student) -> None:
    """Both networks on a window of the size that you give, and their layers."""
    answers = expect_keys(student.fetch("coincide"), ("conv", "pool"), "`coincide`")
    builds = (
        ("conv", student.build_with_conv, 325_940),
        ("pool", student.build_with_pool, 323_620),
    )
    for name, build, count in builds:
        size, _ = expect_ints(answers[name], f"`coincide[{name!r}]`", 2)
        net = expect_handle(build(), f"`build_with_{name}`'s result", "an nn.Module")
        if not 1 <= size <= 200:
            fail(f"`coincide[{name!r}]` speaks of windows of {size} pixels.")
        output = net(public_images(2, 3, size, size))
        expect_tensor(output, f"The output of `build_with_{name}()` on a window", (2, 4))
        weights = sum(one.numel() for one in parameters_of(student, net, "the network"))
        expect_equal(weights, count, f"The number of parameters of `build_with_{name}()`")
        check_activations(student, net, f"the network of `build_with_{name}`", size)


@visible("1.8")
def networks_of_their_own(student: Student) -> None:
    """The weights of several networks."""
    for name, build in (("conv", student.build_with_conv), ("pool", student.build_with_pool)):
        what = f"`build_with_{name}`"
        nets = [expect_handle(build(), f"{what}'s result", "an nn.Module") for _ in range(3)]
        check_own_weights(student, nets, what)


@visible("1.8")
def windows_coincide(student: Student) -> None:
    """Windows and answers, counted: `coincide` on images of 30 to 60 pixels."""
    answers = expect_keys(student.fetch("coincide"), ("conv", "pool"), "`coincide`")
    for name in ("conv", "pool"):
        size, stride = expect_ints(answers[name], f"`coincide[{name!r}]`", 2)
        if min(size, stride) < 1:
            fail(f"Size and stride in `coincide[{name!r}]` must be positive.")
        check_windows(name, size, stride)


def check_grid(student: Student, stack: nn.Sequential, input_size: tuple, grid: tuple) -> None:
    """Compare a grid with the one expected; the layers come as an iterator and must not run."""
    layers = [mirror(student, layer) for layer in stack]
    records = [student.tool("record_calls", layer) for layer in layers]
    iterator = student.new("builtins.iter", layers)
    answer = student.window_grid(layers=iterator, input_size=input_size)
    if any(calls_of(student, record, "a layer") for record in records):
        fail("`window_grid` must compute the grid from the layers' settings, not run them.")
    size, stride, count = expect_list(answer, "`window_grid`'s result", 3)
    for value, expected, what in ((size, grid[0], "size"), (stride, grid[1], "stride")):
        expect_equal(expect_int(value, f"The {what}"), expected, f"The {what} for {stack}")
    expect_equal(expect_ints(count, "The count", 2), grid[2], f"The count for {stack}")


@visible("1.9")
def known_grids(student: Student) -> None:
    """`window_grid` for single layers and for the stack of the lecture."""
    check_grid(student, nn.Sequential(nn.Conv2d(3, 1, 3)), (8, 10), (3, 1, (6, 8)))
    check_grid(student, nn.Sequential(nn.Conv2d(3, 1, 5, stride=3)), (8, 10), (5, 3, (2, 2)))
    check_grid(student, nn.Sequential(nn.Conv2d(3, 1, 3, dilation=2)), (8, 10), (5, 1, (4, 6)))
    check_grid(student, nn.Sequential(nn.MaxPool2d(2)), (8, 11), (2, 2, (4, 5)))
    check_grid(student, nn.Sequential(nn.MaxPool2d((2, 2), stride=3)), (8, 11), (2, 3, (3, 4)))
    lecture = nn.Sequential(
        nn.Conv2d(3, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 400, 5), nn.ReLU()
    )
    check_grid(student, lecture, (28, 16), (14, 2, (8, 2)))
    check_grid(student, lecture, (13, 28), (14, 2, (0, 8)))
    check_grid(student, lecture, (28, 5), (14, 2, (8, 0)))


@visible("1.9")
def known_boxes(student: Student) -> None:
    """`window_box` for windows of the lecture."""
    grid = WindowGrid(14, 2, (8, 8))
    for cell, expected in (((0, 0), (0, 0, 14, 14)), ((4, 3), (6, 8, 20, 22))):
        box = student.window_box(grid=grid, i=cell[0], j=cell[1])
        what = f"`window_box` for cell {cell}"
        expect_equal(expect_ints(box, what, 4), expected, what, "x goes with the column.")
