"""Task 2.4: six numbers for every window."""

import functools

import pytest
import torch
from torch import Tensor

from detcourse.draws import draws
from detcourse.week2 import wrong_ways
from detcourse.week2.scenes import CLASSES, SIDE, randint, random_boxes, random_grid, targets_of
from detlab.checking.causes import explained_by
from detlab.checking.expect import expect_close, expect_floats, expect_tensor, fail
from detlab.checking.own_work import expect_untouched
from detlab.checking.replies import counted_call, timed_call
from detlab.checking.student import Student
from detlab.grid import WindowGrid

pytestmark = [
    pytest.mark.task("2.4", points=16),
    # Steps are counted by tracing: the statement says that answers leave it alone.
    pytest.mark.forbid("settrace", "gettrace", "setprofile", "_getframe", "f_trace"),
    pytest.mark.forbid("threading", "_thread", "concurrent", "ctypes"),
]

MAX_STEPS = 100_000  # the reference takes some 6,000
# So many images, rows or columns of windows, and the seconds they may take: right answers need a
# twentieth of them, a loop five times as many.
MANY, MOST_S = 40_000, 0.3


def random_labels(rng: torch.Generator, count: int) -> Tensor:
    """Return labels from 0 to 9."""
    return torch.randint(0, CLASSES, (count,), generator=rng)


def telling_case(
    rng: torch.Generator, count: int, grid: WindowGrid | None = None
) -> tuple[Tensor, Tensor, WindowGrid]:
    """Return boxes, labels and a grid, in which every wrong choice of windows shows."""
    for _ in draws():
        boxes, on = random_boxes(rng, count), grid or random_grid(rng)
        if wrong_ways.choice_shows(boxes, on):
            return boxes, random_labels(rng, count), on


def encode(student: Student, boxes: Tensor, labels: Tensor, grid: WindowGrid) -> Tensor:
    """Encode some boxes and check the form of the answer."""
    answer = student.encode_targets(boxes=boxes, labels=labels, grid=grid)
    expected = (len(boxes), 6, *grid.count)
    answer = expect_tensor(answer, "`encode_targets`'s result", expected)
    if answer.dtype != torch.float32:
        fail(f"`encode_targets`'s result must be float32, but is {answer.dtype}.")
    return answer


def compare(student: Student, boxes: Tensor, labels: Tensor, grid: WindowGrid) -> None:
    """Compare the targets channel by channel."""
    compare_targets(encode(student, boxes, labels, grid), boxes, labels, grid)


def compare_targets(answer: Tensor, boxes: Tensor, labels: Tensor, grid: WindowGrid) -> None:
    """Compare targets of the right shape."""
    expected = targets_of(boxes, labels, grid)
    seen = expected[:, 0] == 1
    wrong = (answer[:, 0] - expected[:, 0]).abs() > 1e-5
    if bool(wrong.any()):
        missed, extra = int((wrong & seen).sum()), int((wrong & ~seen).sum())
        n, i, j = (int(part) for part in wrong.nonzero()[0])
        both = ((answer[:, 0] == 1) & seen)[:, None].expand(-1, 4, -1, -1)
        # A centre comes from its box: where that is wrong, what else fits does so by chance.
        if torch.allclose(answer[:, 2:][both], expected[:, 2:][both], 1e-4, 1e-4):
            cause = explained_by(answer[:, 0], wrong_ways.windows_seen(boxes, grid))
        else:
            cause = "Its boxes are wrong, too, also where channel 0 is right: look at them first."
        fail(
            f"Channel 0 is wrong in {missed} windows that hold the box's centre and in {extra} "
            f"that do not. {cause}".rstrip(),
            f"For example window ({i}, {j}), box {(SIDE * boxes[n]).tolist()} px, {grid}.",
        )
    if bool((answer.movedim(1, -1)[~seen] != 0).any()):
        fail("Windows that do not hold the box's centre must hold six zeros.")
    # Windows far from the box have large numbers; float32 rounds them to 1e-6 of their size.
    expect_close(answer[:, 1], expected[:, 1], "Channel 1, the label,", 1e-4)
    names = ("x_min", "y_min", "x_max", "y_max")
    for channel, name in enumerate(names, 2):
        what = f"Channel {channel}, {name} in the window's frame,"
        cause = functools.partial(cause_in_boxes, answer[:, 2:], seen, boxes, grid)
        expect_close(answer[:, channel], expected[:, channel], what, 1e-4, cause)


def cause_in_boxes(answer: Tensor, seen: Tensor, boxes: Tensor, grid: WindowGrid, _: Tensor) -> str:
    """Say what the boxes (N, 4, rows, columns) are instead, in the windows that see one."""
    there = seen[:, None].expand(-1, 4, -1, -1)
    ways = wrong_ways.boxes_in_windows(boxes, grid)
    return explained_by(answer[there], {words: way[there] for words, way in ways.items()})


@pytest.mark.weight(3)
def test_one_box(student: Student, rng: torch.Generator) -> None:
    """The targets of one image, in every window."""
    for _ in range(4):
        compare(student, *telling_case(rng, 1))


@pytest.mark.weight(2)
def test_batch(student: Student, rng: torch.Generator) -> None:
    """The targets of several images."""
    for _ in range(3):
        boxes, labels, grid = telling_case(rng, 7)
        compare(student, boxes, labels, grid)
        expect_untouched(student, "encode_targets", boxes, labels, grid)


@pytest.mark.weight(1)
def test_small_and_large(student: Student, rng: torch.Generator) -> None:
    """The targets of boxes within a window, larger than one, and at the border."""
    boxes = torch.tensor([[0, 0, 3, 2], [61, 62, 64, 64], [0, 30, 64, 34], [2, 1, 63, 62]])
    # Sides that are powers of two: where a centre lies on an edge, no rounding decides.
    for grid in (WindowGrid(16, 8, (7, 7)), WindowGrid(32, 4, (9, 9))):
        compare(student, boxes.float() / SIDE, random_labels(rng, 4), grid)


@pytest.mark.weight(1)
def test_edges(student: Student) -> None:
    """The targets of boxes whose centre lies on an edge of a window, or just beside one."""
    grid = WindowGrid(32, 8, (5, 5))
    # Edges of windows lie at 0, 8, … 32 and 32, 40, … 64. All these numbers, their sums and their
    # quotients by a power of two have few binary digits: every formula has them exactly.
    for off in (0.0, -1 / 32, 1 / 32):
        centres = torch.tensor([[8, 21], [27, 16], [40, 13], [11, 48], [32, 29], [24, 40]]) + off
        half = torch.tensor([[6, 9], [11, 4], [7, 10], [5, 12], [3, 8], [13, 2]])
        boxes = torch.cat([centres - half, centres + half], 1) / SIDE
        compare(student, boxes, torch.tensor([1, 2, 3, 0, 9, 4]), grid)


@pytest.mark.weight(1)
def test_rows_and_columns(student: Student, rng: torch.Generator) -> None:
    """The targets in grids that are not square."""
    for count in ((2, 5), (6, 3)):
        grid = WindowGrid(randint(rng, 24, 40), randint(rng, 3, 5), count)
        compare(student, *telling_case(rng, 3, grid))


@pytest.mark.weight(8)
def test_vectorised(student: Student, rng: torch.Generator) -> None:
    """The steps and the time that many images, or many windows, take.

    They are counted where the answer runs, and what takes long all the same loops unseen.
    """
    # Each case has a grid of its own, never seen before: remembering windows is no help.
    cases = {
        "": (4, WindowGrid(40, 8, (4, 4))),
        "images": (256, WindowGrid(39, 8, (4, 4))),
        "windows": (4, WindowGrid(4, 1, (61, 61))),
    }
    steps = {}
    for name, (count, grid) in cases.items():
        boxes, labels = random_boxes(rng, count), random_labels(rng, count)
        other = [random_boxes(rng, 3), random_labels(rng, 3), WindowGrid(38, 9, (3, 3))]
        given = [boxes, labels, grid]
        steps[name], result, threads = counted_call(student, "encode_targets", given, other)
        if steps[name] < 1 or threads != 1:
            fail(
                "The steps of `encode_targets` could not be counted: leave Python's tracing alone."
            )
        if steps[name] > MAX_STEPS:
            many = f"{count} images and {grid.count[0]}×{grid.count[1]} windows"
            fail(
                f"`encode_targets` takes more than {MAX_STEPS:,} steps for {many}: a loop is left. "
                "Let broadcasting run over images and windows.",
                f"{steps[name]} steps.",
            )
        shape = (len(boxes), 6, *grid.count)
        result = expect_floats(result, "The targets whose steps were counted", shape)
        compare_targets(result, boxes, labels, grid)
    for name in ("images", "windows"):
        # Right answers take exactly as many steps; a branch here or there takes a few more. 64
        # times the images, in chunks even, or fifteen times the rows, take hundreds more.
        if steps[name] > steps[""] + 100:
            fail(
                f"The number of steps grows with the number of {name}: a loop is left, in plain "
                "sight or in a comprehension. Let broadcasting run over it.",
                f"{steps['']} steps became {steps[name]}.",
            )
    expect_little_time(student, rng)


def expect_little_time(student: Student, rng: torch.Generator) -> None:
    """Check by the system's account of time that no loop runs over what there is much of."""
    cases = {"images": (MANY, (2, 2)), "rows": (2, (MANY, 2)), "columns": (2, (2, MANY))}
    other = [random_boxes(rng, 3), random_labels(rng, 3), WindowGrid(38, 9, (3, 3))]
    for name, (images, (rows, columns)) in cases.items():
        grid = WindowGrid(randint(rng, 36, 44), randint(rng, 6, 9), (rows, columns))
        given = [random_boxes(rng, images), random_labels(rng, images), grid]
        answer, seconds = timed_call(student, "encode_targets", given, other)
        if seconds > MOST_S:
            fail(
                f"`encode_targets` takes {seconds:.1f} s for {MANY:,} {name}: a loop is left. Let "
                "broadcasting run over images and windows."
            )
        answer = expect_tensor(answer, "`encode_targets`'s result", (images, 6, rows, columns))
        # The first windows, which see the boxes, and some others, each as a grid of its own.
        for n in [*range(10), *(randint(rng, 10, MANY - 1) for _ in range(5))]:
            image = n if name == "images" else n % 2
            i, j = min(n, rows - 1), min(n, columns - 1)
            shift = torch.tensor([j, i, j, i]) * grid.stride / SIDE
            box, label = given[0][image : image + 1] - shift, given[1][image : image + 1]
            expected = targets_of(box, label, WindowGrid(grid.size, grid.stride, (1, 1)))
            what = f"The targets of many {name}"
            expect_close(answer[image, :, i, j], expected[0, :, 0, 0], what, 1e-3)
