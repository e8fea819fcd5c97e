"""Task 2.9's training: hand the data over, let the student's code train, and measure.

Labels of the hidden images never leave the grader, and the measures are computed here.
"""

import functools
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import torch
from scenes import CLASSES, check_windows, place, prediction_of, targets_of
from torch import Tensor

from detgrader.hidden import load_hidden_digits
from detlab.checking.expect import expect_handle, expect_ints, expect_tensor, fail
from detlab.checking.student import Handle, Student
from detlab.checking.week2 import OUTPUTS, SIDE, check_windows_are_fair, expect_grid
from detlab.checking.workbench import StudentError
from detlab.digits import load_digits
from detlab.grid import WindowGrid
from detlab.metrics import label_accuracy, mean_iou

COPIES = 8  # images made of each of the 4,000 training digits
# Of each of the 500 hidden ones: on 2,000 images luck moves an accuracy by half as much as on 500.
HIDDEN_COPIES = 4
BATCH_SIZE = 64
EPOCHS = 4
CPU_S = 240.0  # the loader then runs dry
CHUNK = 500  # images sent at a time


@dataclass(frozen=True)
class Score:
    """What a trained network reached on the hidden images.

    Attributes:
        accuracy: share of right labels.
        iou: mean IoU of predicted and true boxes.
        steps: training steps that it took.
        max_steps: training steps that were on offer.
        out_of_time: whether the processor time ran out before.
    """

    accuracy: float
    iou: float
    steps: int
    max_steps: int
    out_of_time: bool

    @property
    def remark(self) -> str:
        """What to say of the training, whatever it reached."""
        words = ""
        if self.out_of_time:
            words = (
                f" The training was stopped after {CPU_S:.0f} seconds of processor time, at step "
                f"{self.steps} of {self.max_steps}: a lighter network gets further."
            )
        elif self.steps < self.max_steps:
            words = f" The training took {self.steps} of {self.max_steps} steps."
        if self.accuracy < 0.2:
            words += (
                " Guessing gives an accuracy of 0.10: the network has learned nothing. Does the "
                "loss fall in your own history?"
            )
        return words


SCORES: WeakKeyDictionary[Student, Score | AssertionError | StudentError] = WeakKeyDictionary()


def score_of(student: Student, rng: torch.Generator, epochs: int = EPOCHS) -> Score:
    """Train a student's network and measure it, once for all checks.

    Raises:
        CheckFailure: it cannot be measured; the same for each check.
        StudentError: the training raised; it is not run again.
    """
    if student not in SCORES:
        try:
            SCORES[student] = train_and_measure(student, rng, epochs)
        except (AssertionError, StudentError) as failure:
            SCORES[student] = failure
    score = SCORES[student]
    if not isinstance(score, Score):
        raise score
    return score


def train_and_measure(student: Student, rng: torch.Generator, epochs: int) -> Score:
    """Train on fresh images of the training digits, measure on fresh images of hidden ones."""
    grid = expect_grid(student.localization_grid(input_size=(SIDE, SIDE)))
    check_windows_are_fair(grid)
    # Secret names for the digits: weights that were trained elsewhere do not know them.
    names = torch.randperm(CLASSES, generator=rng)
    loader = make_loader(student, rng, grid, names, epochs)
    net = student.train_localizer(loader=loader, epochs=epochs)
    net = expect_handle(net, "`train_localizer`'s result", "the trained network")
    steps, max_steps, out_of_time = progress_of(student, loader)
    student.tool("set_training", net, False)
    images, boxes, labels = scenes_of("hidden", HIDDEN_COPIES, seed_from(rng))
    outputs = torch.cat([answer(net, chunk, grid) for chunk in images.split(BATCH_SIZE)])
    check_windows(net, images[:8].float() / 255, grid, rng)
    predicted, predicted_boxes = prediction_of(outputs, grid)
    accuracy, iou = label_accuracy(predicted, names[labels]), mean_iou(predicted_boxes, boxes)
    return Score(accuracy, iou, steps, max_steps, out_of_time)


@functools.lru_cache(maxsize=2)
def scenes_of(part: str, copies: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Make images of a part's digits, the same for every submission of a batch.

    Returns:
        (N, 1, 64, 64) uint8 images, (N, 4) float32 boxes, (N,) int64 labels.
    """
    digits, labels = load_hidden_digits() if part == "hidden" else load_digits(part)
    rng = torch.Generator().manual_seed(seed)
    images, boxes = place(digits.repeat(copies, 1, 1, 1), rng)
    return images, boxes, labels.repeat(copies)


def seed_from(rng: torch.Generator) -> int:
    """Draw a seed."""
    return int(torch.randint(0, 2**31, (), generator=rng))


def make_loader(
    student: Student, rng: torch.Generator, grid: WindowGrid, names: Tensor, epochs: int
) -> Handle:
    """Make images of the training digits, and batches of them on the student's side.

    The labels in the targets are the digits' names: digit d is called `names[d]`.
    """
    images, boxes, labels = scenes_of("train", COPIES, seed_from(rng))
    max_steps = epochs * -(-len(images) // BATCH_SIZE)
    loader = student.tool("budgeted_loader", BATCH_SIZE, max_steps, CPU_S, seed_from(rng))
    for rows in torch.arange(len(images)).split(CHUNK):
        targets = targets_of(boxes[rows], names[labels[rows]], grid)
        student.tool("add_to_loader", loader, images[rows], targets)
    return loader


def progress_of(student: Student, loader: Handle) -> tuple[int, int, bool]:
    """Return how far the training came, as the student's side tells it: for messages only."""
    steps, max_steps, out_of_time = expect_ints_and_flag(student.tool("progress_of", loader))
    return steps, max_steps, out_of_time


def expect_ints_and_flag(value: object) -> tuple[int, int, bool]:
    """Take a loader's progress."""
    if not isinstance(value, tuple) or len(value) != 3 or type(value[2]) is not bool:
        fail("The loader was tampered with.")
    return (*expect_ints(value[:2], "The loader's progress", 2), value[2])


def answer(net: Handle, images: Tensor, grid: WindowGrid) -> Tensor:
    """Return a network's outputs for some images."""
    outputs = net(images.float() / 255)
    if isinstance(outputs, Tensor) and not bool(torch.isfinite(outputs).all()):
        fail(
            "The trained network answers NaN or infinity: at some step the loss was no longer "
            "finite. Lower the learning rate, and look for a division by zero or a log of zero."
        )
    shape = (len(images), OUTPUTS, *grid.count)
    return expect_tensor(outputs, "The trained network's output", shape)
