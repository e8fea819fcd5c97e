"""Task 2.9's training: hand the data over, let the student's code train, and measure.

Labels of the hidden images never leave the grader, and the measures are computed here.
"""

import functools
from dataclasses import dataclass

import torch
from torch import Tensor

from detcourse.hidden_digits import load_hidden_digits
from detcourse.trainings import UPRIGHT, Turn, once, seed_from, turn_of, turned, words_on
from detcourse.week2.scenes import CLASSES, check_windows, place, prediction_of, targets_of
from detlab.checking.expect import expect_floats, expect_handle, fail
from detlab.checking.student import Handle, Student
from detlab.digits import load_digits
from detlab.grid import WindowGrid
from detlab.metrics import label_accuracy, mean_iou
from detlab.weeks.loaders import BudgetedLoader, TrainingProgress, offer
from detlab.weeks.week2.assertions import OUTPUTS, SIDE, check_windows_are_fair, expect_grid

COPIES = 8  # images made of each of the 4,000 training digits
# Of each of the 500 hidden ones: on 2,000 images luck moves an accuracy by half as much as on 500.
HIDDEN_COPIES = 4
BATCH_SIZE = 64
EPOCHS = 4
CPU_S = 480.0  # the loader then runs dry


@dataclass(frozen=True)
class Score:
    """What a trained network reached on the hidden images.

    Attributes:
        accuracy: share of right labels.
        iou: mean IoU of predicted and true boxes.
        progress: training steps taken and on offer, and whether the time ran out before.
    """

    accuracy: float
    iou: float
    progress: TrainingProgress

    @property
    def remark(self) -> str:
        """What to say of the training, whatever it reached."""
        words = words_on(self.progress, CPU_S)
        if self.accuracy < 0.2:
            words += (
                " Guessing gives an accuracy of 0.10: the network has learned nothing. Does the "
                "loss fall in your own history?"
            )
        return words


@once
def score_of(student: Student, rng: torch.Generator, epochs: int = EPOCHS) -> Score:
    """Train a network on fresh images of the training digits, measure it on hidden ones."""
    grid = expect_grid(student.localization_grid(input_size=(SIDE, SIDE)))
    check_windows_are_fair(grid)
    # Secret names for the digits: weights that were trained elsewhere do not know them.
    names = torch.randperm(CLASSES, generator=rng)
    turn = turn_of(rng)
    loader = make_loader(student, rng, grid, names, turn, epochs)
    net = student.train_localizer(loader=offer(student, loader), epochs=epochs)
    net = expect_handle(net, "`train_localizer`'s result", "the trained network")
    student.tool("set_training", net, False)
    images, boxes, labels = scenes_of("hidden", HIDDEN_COPIES, seed_from(rng), turn)
    outputs = torch.cat([answer(net, chunk, grid) for chunk in images.split(BATCH_SIZE)])
    check_windows(net, images[:8].float() / 255, grid, rng)
    predicted, predicted_boxes = prediction_of(outputs, grid)
    accuracy, iou = label_accuracy(predicted, names[labels]), mean_iou(predicted_boxes, boxes)
    return Score(accuracy, iou, loader.progress)


@functools.lru_cache(maxsize=2)
def scenes_of(
    part: str, copies: int, seed: int, turn: Turn = UPRIGHT
) -> tuple[Tensor, Tensor, Tensor]:
    """Make images of a part's digits, the same for every submission of a batch.

    Args:
        turn: of all of them.

    Returns:
        (N, 1, 64, 64) uint8 images, (N, 4) float32 boxes, (N,) int64 labels.
    """
    digits, labels = load_hidden_digits() if part == "hidden" else load_digits(part)
    rng = torch.Generator().manual_seed(seed)
    images, boxes = place(digits.repeat(copies, 1, 1, 1), rng)
    images, boxes = turned(images, boxes, turn)
    return images, boxes, labels.repeat(copies)


def make_loader(
    student: Student,
    rng: torch.Generator,
    grid: WindowGrid,
    names: Tensor,
    turn: Turn,
    epochs: int,
) -> BudgetedLoader:
    """Make images of the training digits, and batches of them.

    The labels in the targets are the digits' names: digit d is called `names[d]`.
    """
    images, boxes, labels = scenes_of("train", COPIES, seed_from(rng), turn)
    max_steps = epochs * -(-len(images) // BATCH_SIZE)
    loader = BudgetedLoader(
        batch_size=BATCH_SIZE,
        max_steps=max_steps,
        cpu_s=CPU_S,
        seed=seed_from(rng),
        clock=student.clock,
    )
    loader.add(images, targets_of(boxes, names[labels], grid))
    return loader


def answer(net: Handle, images: Tensor, grid: WindowGrid) -> Tensor:
    """Return a network's outputs for some images."""
    outputs = net(images.float() / 255)
    if isinstance(outputs, Tensor) and not bool(torch.isfinite(outputs).all()):
        fail(
            "The trained network answers NaN or infinity: at some step the loss was no longer "
            "finite. Lower the learning rate, and look for a division by zero or a log of zero."
        )
    shape = (len(images), OUTPUTS, *grid.count)
    return expect_floats(outputs, "The trained network's output", shape).float()
