"""Task 2.2: a fully convolutional network and the windows that it answers for."""

import pytest
import torch
from torch import Tensor

from detcourse.learning import expect_learning
from detcourse.week2.scenes import answer, check_windows, corner_cells, randint, uniform
from detlab.checking.expect import expect_close, expect_floats, fail
from detlab.checking.own_work import expect_untouched
from detlab.checking.replies import parameters_of
from detlab.checking.student import Handle, Student
from detlab.grid import WindowGrid
from detlab.weeks.week2.assertions import (
    SIDE,
    check_output_size,
    check_windows_are_fair,
    expect_grid,
    expect_output,
    make_net,
)

pytestmark = pytest.mark.task("2.2", points=12)


def randomise(student: Student, net: Handle, rng: torch.Generator) -> None:
    """Give the network's parameters new values, so that no layer's answer is trivial."""
    found = parameters_of(student, net, "the network")
    if not found:
        fail("The network has no parameters: layers in a plain list are not registered.")
    values = []
    for weights in found:
        fan_in = weights[0].numel() if weights.dim() > 1 else 0
        noise = torch.randn(weights.shape, generator=rng)
        values.append(noise * (2 / fan_in) ** 0.5 if fan_in else weights + 0.1 * noise)
    student.tool("set_parameters", net, [v.to(w.dtype) for v, w in zip(values, found, strict=True)])


def border_strips(grid: WindowGrid, i: int, j: int) -> dict[str, tuple[slice, slice]]:
    """Return the outermost line of pixels on each side of window (i, j): rows and columns."""
    top, left = i * grid.stride, j * grid.stride
    bottom, right = top + grid.size, left + grid.size
    across, down = slice(left, right), slice(top, bottom)
    return {
        "top": (slice(top, top + 1), across),
        "bottom": (slice(bottom - 1, bottom), across),
        "left": (down, slice(left, left + 1)),
        "right": (down, slice(right - 1, right)),
    }


@pytest.mark.weight(3)
def test_output_shape(student: Student, rng: torch.Generator) -> None:
    """The shape of the output, against the grid of `localization_grid`."""
    net = make_net(student)
    for shape in ((3, 1, SIDE, SIDE), (1, 1, SIDE, SIDE)):
        images = uniform(rng, 0, 1, *shape)
        check_output_size(student, net, images)
        dtype = expect_output(net(images), images).dtype
        if dtype != torch.float32:
            fail(f"The network's output must be float32, but is {dtype}.")
    expect_untouched(student, net, images)


@pytest.mark.weight(2)
def test_other_sizes(student: Student, rng: torch.Generator) -> None:
    """The output for images of other sizes, square or not."""
    net = make_net(student)
    least = expect_grid(student.localization_grid(input_size=(SIDE, SIDE))).size
    for height, width in ((SIDE, SIDE + 21), (SIDE + 10, SIDE), (least, least)):
        check_output_size(student, net, uniform(rng, 0, 1, 2, 1, height, width))


@pytest.mark.weight(2)
def test_windows_hold_a_digit(student: Student) -> None:
    """The size and the number of the windows."""
    check_windows_are_fair(expect_grid(student.localization_grid(input_size=(SIDE, SIDE))))


@pytest.mark.weight(4)
def test_windows_are_those_of_the_grid(student: Student, rng: torch.Generator) -> None:
    """What each output cell sees of the image, against its window of the grid."""
    net = make_net(student)
    images = uniform(rng, 0, 1, 8, 1, SIDE, SIDE)
    grid = check_output_size(student, net, images)  # layers that wait for their input's size get it
    randomise(student, net, rng)
    check_windows(net, images, grid, rng)
    for i, j in corner_cells(grid):
        before = answer(net, images, (i, j))
        for side, (across, down) in border_strips(grid, i, j).items():
            inside = images.clone()
            # Large enough to win any max-pooling.
            inside[:, :, across, down] += uniform(rng, 20, 40, *inside[:, :, across, down].shape)
            if torch.allclose(answer(net, inside, (i, j)), before, rtol=1e-6, atol=1e-7):
                fail(f"No output of cell ({i}, {j}) sees the {side} line of pixels of its window.")


@pytest.mark.weight(1)
def test_raw_and_steady(student: Student, rng: torch.Generator) -> None:
    """Whether the outputs are raw, and the same for the same images."""
    net = make_net(student)
    images = uniform(rng, 0, 1, 4, 1, SIDE, SIDE)
    output = expect_output(net(images), images)
    expect_close(net(images), output, "The output for the same images once more")
    one = net(images[1:2])
    expect_close(one, output[1:2], "The output for an image by itself", tolerance=1e-4)
    randomise(student, net, rng)
    classes = expect_output(net(images), images)[:, 1:11].double()
    # Of raw logits neither sum is the same in all windows of all images.
    for sums in (classes.sum(1), classes.logsumexp(1)):
        if torch.allclose(sums, sums.mean(), rtol=1e-4, atol=1e-4):
            fail("The class logits went through a softmax: they must be raw.")
    # A channel of one network may well have one sign everywhere, but not that of 20.
    groups = {"detection logits": slice(0, 1), "class logits": slice(1, 11), "boxes": slice(11, 15)}
    signs: dict[str, set[float]] = {name: set() for name in groups}
    for _ in range(20):
        for name, channels in groups.items():
            signs[name] |= set(output[:, channels].sign().unique().tolist())
        if all({-1.0, 1.0} <= seen for seen in signs.values()):
            break
        randomise(student, net, rng)
        output = expect_output(net(images), images)
    for name, seen in check_range(student, net, images, groups).items():
        signs[name] |= seen
    for name, seen in signs.items():
        if not {-1.0, 1.0} <= seen:
            which = "positive" if -1.0 in seen else "negative"
            fail(f"The {name} are never {which}: they must be raw, so nothing may squeeze them.")


def check_range(
    student: Student, net: Handle, images: Tensor, groups: dict[str, slice]
) -> dict[str, set[float]]:
    """Check that with large parameters the outputs become large, too; return their signs."""
    large = [100 * weights for weights in parameters_of(student, net, "the network")]
    largest: dict[str, float] = {}
    signs: dict[str, set[float]] = {name: set() for name in groups}
    for values in (large, [-weights for weights in large]):
        student.tool("set_parameters", net, values)
        output = net(images)
        if isinstance(output, Tensor) and not bool(torch.isfinite(output).all()):
            return signs  # so large that it says nothing, but surely not squeezed
        output = expect_output(output, images)
        for name, channels in groups.items():
            part = output[:, channels]
            largest[name] = max(largest.get(name, 0.0), float(part.abs().max()))
            signs[name] |= set(part.sign().unique().tolist())
    for name, value in largest.items():
        if value < 8:
            fail(
                f"The {name} never leave the range from -{value:.2f} to {value:.2f}, however large "
                "the weights: they must be raw, so nothing may squeeze or cut them."
            )
    return signs


@pytest.mark.weight(1)
def test_can_learn(student: Student, rng: torch.Generator) -> None:
    """Whether gradients reach the parameters."""
    net = make_net(student)
    images = uniform(rng, 0, 1, 4, 1, SIDE, SIDE)
    expect_output(net(images), images)  # layers that wait for their input's size get it
    randomise(student, net, rng)
    values, before = parameters_of(student, net, "the network"), expect_output(net(images), images)
    if torch.equal(before, before.bfloat16().float()):
        fail("In evaluation mode the network must compute in float32, not in half precision.")
    # What no answer depends on, such as a bias before a normalisation, need not learn.
    least = 1e-3 * float(before.square().mean().sqrt())
    idle = set()
    for n, weights in enumerate(values):
        moved = weights + 0.1 * torch.randn(weights.shape, generator=rng).to(weights.dtype)
        student.tell("set_parameter", net, n, moved)
        after = expect_floats(net(images), "The network's output", before.shape)
        student.tell("set_parameter", net, n, weights)
        if float((after - before).abs().max()) < least:
            idle.add(n)

    def call(arguments: list[Tensor]) -> list[Tensor]:
        return [expect_output(net(arguments[0]), arguments[0])]

    about = "`LocalizationNet`"
    expect_learning(student, net, call, [images], rng, about, idle=frozenset(idle))


@pytest.mark.weight(1)
def test_fresh_weights(student: Student, rng: torch.Generator) -> None:
    """The weights of two networks."""
    images = uniform(rng, 0, 1, 1, 1, SIDE, SIDE)
    drawn = []
    for _ in range(2):
        net = make_net(student)
        net(images)  # layers that wait for their input's size get it
        drawn.append(parameters_of(student, net, "the network"))
    first, second = drawn
    if len(first) == len(second) and all(map(torch.equal, first, second)):
        fail("Two networks have the same weights: set no seed in the class.")


@pytest.mark.weight(1)
def test_sizes_of_the_grid(student: Student, rng: torch.Generator) -> None:
    """The grid of `localization_grid` for images of any size."""
    whole = expect_grid(student.localization_grid(input_size=(SIDE, SIDE)))
    step = min(whole.stride, SIDE)
    # Windows fill one side to its last pixel, and the other lacks a single one for one more.
    over = [0, step - 1] if randint(rng, 0, 1) else [step - 1, 0]
    fitting = (SIDE - whole.size) // step
    sides = [whole.size + (fitting + n) * step + m for n, m in zip((1, 3), over, strict=True)]
    for height, width in (sides, sides[::-1]):
        grid = expect_grid(student.localization_grid(input_size=(height, width)))
        rows, columns = ((side - whole.size) // whole.stride + 1 for side in (height, width))
        if grid == WindowGrid(whole.size, whole.stride, (rows, columns)):
            continue
        causes = {
            (columns, rows): "Rows come first: they follow from the height.",
            (rows, rows): "Rows and columns both follow from the height.",
            (columns, columns): "Rows and columns both follow from the width.",
            whole.count: "It has the windows of 64×64, whatever the image's size.",
        }
        cause = causes.get(grid.count, "Its count does not follow from its size and stride.")
        if (grid.size, grid.stride) != (whole.size, whole.stride):
            cause = "The size and the stride of the windows are the same for all images."
        fail(
            f"`localization_grid` is not right for images of {height}×{width}. {cause}",
            f"Expected the count {(rows, columns)}, got {grid}.",
        )
