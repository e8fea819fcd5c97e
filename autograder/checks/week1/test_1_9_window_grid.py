"""Task 1.9: which windows any stack of unpadded layers looks at.

The truth comes from single layers: each turns a map's side into the next one's as
PyTorch documents it, and the smallest images that give one and two output rows tell
the window's size and stride.
"""

import bisect
import itertools
import math
from collections.abc import Callable, Iterable

import pytest
import torch
from torch import nn

from detcourse.week1.nets import randint
from detlab.checking.expect import expect_equal, expect_int, expect_ints, expect_list
from detlab.checking.mirror import mirror
from detlab.checking.student import Student
from detlab.grid import WindowGrid

pytestmark = pytest.mark.task("1.9", points=24)

MakeLayer = Callable[[torch.Generator], nn.Module]


def plain_conv(rng: torch.Generator) -> nn.Module:
    """A convolution with stride 1 and without dilation."""
    return nn.Conv2d(1, 1, randint(rng, 2, 5))


def strided_conv(rng: torch.Generator) -> nn.Module:
    """A convolution with a stride of 2 or 3."""
    return nn.Conv2d(1, 1, randint(rng, 2, 5), stride=randint(rng, 2, 3))


def dilated_conv(rng: torch.Generator) -> nn.Module:
    """A convolution with a dilation of 2 or 3."""
    return nn.Conv2d(1, 1, randint(rng, 2, 3), dilation=randint(rng, 2, 3))


def pool(rng: torch.Generator) -> nn.Module:
    """A max-pooling as it is most often written."""
    return nn.MaxPool2d(2)


def pool_in_pairs(rng: torch.Generator) -> nn.Module:
    """A max-pooling that was given pairs of ints, with a stride of its own."""
    stride = (1, 3)[randint(rng, 0, 1)]
    return nn.MaxPool2d((2, 2), (stride, stride))


def pool_in_ints(rng: torch.Generator) -> nn.Module:
    """A max-pooling with a stride of its own, given as an int."""
    return nn.MaxPool2d(2, (1, 3)[randint(rng, 0, 1)])


def stack_of(rng: torch.Generator, *makers: MakeLayer) -> nn.Sequential:
    """A stack of layers, each followed by one that leaves the grid alone."""
    neutral = itertools.cycle([nn.ReLU, lambda: nn.BatchNorm2d(1), nn.Dropout, nn.Identity])
    layers = zip((make(rng) for make in makers), (make() for make in neutral), strict=False)
    return nn.Sequential(*itertools.chain.from_iterable(layers))


def shuffled(rng: torch.Generator, makers: list[MakeLayer]) -> list[MakeLayer]:
    """The same in random order."""
    return [makers[n] for n in torch.randperm(len(makers), generator=rng)]


def output_side(stack: nn.Sequential, side: int) -> int:
    """Rows of the output for an image with so many rows; 0 when a layer refuses it."""
    for layer in stack:
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d):
            settings = (layer.kernel_size, layer.stride, layer.dilation)
            kernel, stride, dilation = (v[0] if isinstance(v, tuple) else v for v in settings)
            side = max(0, (side - dilation * (kernel - 1) - 1) // stride + 1)
    return side


def smallest_side(stack: nn.Sequential, rows: int) -> int:
    """The smallest image that gives so many output rows."""
    return bisect.bisect_left(range(5000), rows, key=lambda side: output_side(stack, side))


def true_window(stack: nn.Sequential) -> tuple[int, int]:
    """Size and stride of the windows, by trying image sizes."""
    size = smallest_side(stack, 1)
    return size, smallest_side(stack, 2) - size


def compare(student: Student, rng: torch.Generator, stack: nn.Sequential) -> None:
    """Compare `window_grid` with the truth on images larger than a window."""
    theirs = mirror(student, stack)
    size, stride = true_window(stack)
    height, width = (size + randint(rng, 0, 5 * stride) for _ in range(2))
    if height == width:
        width += 2 * stride
    counts = tuple(output_side(stack, side) for side in (height, width))
    ask(student, theirs, (height, width), (size, stride, counts), stack)


def ask(
    student: Student,
    layers: object,
    input_size: tuple,
    expected: tuple,
    stack: Iterable[nn.Module] = (),
) -> None:
    """Ask for a grid and compare its three parts.

    Args:
        stack: the layers, if a cause is to be looked for.
    """
    answer = student.window_grid(layers=layers, input_size=input_size)
    parts = expect_list(answer, "`window_grid`'s result", 3)
    wrong = wrong_grids(list(stack))
    for n, name in enumerate(("size", "stride")):
        part = expect_int(parts[n], f"The {name}")
        words = [text for text, grid in wrong.items() if grid[n] == part] if wrong else []
        cause = words[0] if words else by_one(part, expected[n])
        expect_equal(part, expected[n], f"The {name} of the windows", cause)
    count = expect_ints(parts[2], "The count", 2)
    expect_equal(
        count, expected[2], "The count of windows", cause_in_count(count, expected, input_size)
    )


def by_one(part: int, right: int) -> str:
    """Say of a number that it is one off, if it is."""
    return {1: "It is 1 too large.", -1: "It is 1 too small."}.get(part - right, "")


def wrong_grids(stack: list[nn.Module]) -> dict[str, tuple[int, int]]:
    """Return the size and the stride that learners' wrong formulas give, by what they do."""
    layers = [
        [v[0] if isinstance(v, tuple) else v for v in (one.kernel_size, one.stride, one.dilation)]
        for one in stack
        if isinstance(one, nn.Conv2d | nn.MaxPool2d)
    ]
    if len(layers) < 2:
        return {}
    plain = [(kernel - 1) * dilation for kernel, _, dilation in layers]
    strides = [stride for _, stride, _ in layers]
    jumps = [math.prod(strides[:n]) for n in range(len(strides) + 1)]
    sums = [1 + sum(stride - 1 for stride in strides[:n]) for n in range(len(strides) + 1)]
    stride, size = jumps[-1], 1 + sum(a * b for a, b in zip(plain, jumps, strict=False))
    return {
        "It is what adding up kernels without their jumps gives.": (1 + sum(plain), stride),
        "It is what multiplying by a layer's own stride before adding gives.": (
            1 + sum(a * b for a, b in zip(plain, jumps[1:], strict=True)),
            stride,
        ),
        "It is what adding strides up gives, which multiply.": (
            1 + sum(a * b for a, b in zip(plain, sums, strict=False)),
            sums[-1],
        ),
        "It is the sum of all strides: they multiply.": (size, sum(strides)),
        "It is the largest of all strides: they multiply.": (size, max(strides)),
        "It is the last layer's stride alone.": (size, strides[-1]),
        "It is what comes out without dilation.": (
            1 + sum((layer[0] - 1) * jump for layer, jump in zip(layers, jumps, strict=False)),
            stride,
        ),
        "It is what kernel × dilation gives for a dilated kernel's reach.": (
            1 + sum((k * d - 1) * jump for (k, _, d), jump in zip(layers, jumps, strict=False)),
            stride,
        ),
    }


def cause_in_count(count: tuple[int, ...], expected: tuple, input_size: tuple) -> str:
    """Say how a wrong count came about, if it is plain."""
    size, stride, right = expected
    ways: dict[str, Callable[[int], int]] = {
        "It is the side divided by the stride: a window must fit in whole.": lambda x: x // stride,
        "It is the side divided by the size, as if windows lay side by side.": lambda x: x // size,
        "It is the number of steps between windows: the first window counts, too.": (
            lambda x: max(0, (x - size) // stride)
        ),
        "It counts a window that does not fit in whole.": lambda x: -((size - x) // stride) + 1,
        "It is below 0 where no window fits.": lambda x: (x - size) // stride + 1,
        "It counts one for each pixel, as if the stride were 1.": lambda x: max(0, x - size + 1),
    }
    if count == right[::-1]:
        return "Rows and columns are exchanged."
    return next((text for text, way in ways.items() if count == tuple(map(way, input_size))), "")


@pytest.mark.weight(3)
def test_plain_stacks(student: Student, rng: torch.Generator) -> None:
    """`window_grid` for convolutions and poolings as in the lecture."""
    for makers in ([plain_conv, pool, plain_conv], [plain_conv, pool, plain_conv, pool, pool]):
        compare(student, rng, stack_of(rng, *makers))


@pytest.mark.weight(4)
def test_strided_stacks(student: Student, rng: torch.Generator) -> None:
    """`window_grid` with strided convolutions."""
    for _ in range(4):
        makers = shuffled(rng, [plain_conv, strided_conv, strided_conv, pool])
        compare(student, rng, stack_of(rng, *makers))


@pytest.mark.weight(4)
def test_dilated_stacks(student: Student, rng: torch.Generator) -> None:
    """`window_grid` with dilated convolutions."""
    for _ in range(4):
        makers = shuffled(rng, [plain_conv, dilated_conv, dilated_conv, strided_conv, pool])
        compare(student, rng, stack_of(rng, *makers))


@pytest.mark.weight(2)
def test_pooling_strides(student: Student, rng: torch.Generator) -> None:
    """`window_grid` with poolings that have a stride of their own, an int or a pair."""
    for _ in range(4):
        makers = shuffled(rng, [plain_conv, pool_in_pairs, pool, pool_in_ints])
        compare(student, rng, stack_of(rng, *makers))


@pytest.mark.weight(2)
def test_small_images(student: Student, rng: torch.Generator) -> None:
    """`window_grid` for images smaller than a window, in one direction or both."""
    stack = stack_of(rng, plain_conv, pool, strided_conv, plain_conv)
    size, stride = true_window(stack)
    theirs = mirror(student, stack)
    large = size + 2 * stride
    ask(student, theirs, (size - 1, large), (size, stride, (0, 3)), stack)
    ask(student, theirs, (large, max(1, size - stride - 1)), (size, stride, (3, 0)))
    ask(student, theirs, (1, 1), (size, stride, (int(size == 1), int(size == 1))))


@pytest.mark.weight(1)
def test_iterables(student: Student, rng: torch.Generator) -> None:
    """`window_grid` for lists, tuples and iterators of layers, even an empty list."""
    stack = stack_of(rng, plain_conv, pool, plain_conv)
    size, stride = true_window(stack)
    layers = [mirror(student, layer) for layer in stack]
    iterator = student.new("builtins.iter", layers)
    for iterable in (layers, tuple(layers), iterator):
        ask(student, iterable, (size, size + stride), (size, stride, (1, 2)))
    ask(student, [], (4, 7), (1, 1, (4, 7)))


@pytest.mark.weight(5)
def test_window_box(student: Student, rng: torch.Generator) -> None:
    """`window_box` for cells of several grids."""
    asked = []
    for _ in range(6):
        size, stride = randint(rng, 1, 60), randint(rng, 1, 16)
        rows, columns = randint(rng, 4, 9), randint(rng, 10, 15)
        grid = WindowGrid(size, stride, (rows, columns))
        cells = ((0, 0), (0, columns - 1), (rows - 1, 1), (2, 3))
        asked += [{"grid": grid, "i": i, "j": j} for i, j in cells]
    boxes = expect_list(student.each("window_box", asked), "The answers", len(asked))
    for (grid, i, j), box in zip((one.values() for one in asked), boxes, strict=True):
        box = expect_ints(box, "`window_box`'s result", 4)
        left, top = j * grid.stride, i * grid.stride
        expected = (left, top, left + grid.size, top + grid.size)
        cause = "x and y are exchanged." if box == (*expected[1::-1], *expected[:1:-1]) else ""
        expect_equal(box, expected, "`window_box`'s result", cause)


@pytest.mark.weight(1)
def test_reads_only(student: Student, rng: torch.Generator) -> None:
    """`window_grid` for images so large that no layer can run on them."""
    stack = stack_of(rng, plain_conv, pool)
    size, stride = true_window(stack)
    # Of an image so large nothing can be run: not even one row of it would fit into memory.
    rows, columns = randint(rng, 10**10, 10**11), randint(rng, 10**10, 10**11)
    side = (size + (rows - 1) * stride, size + (columns - 1) * stride)
    layers = [mirror(student, layer) for layer in stack]
    ask(student, layers, side, (size, stride, (rows, columns)))
