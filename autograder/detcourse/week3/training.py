"""The trainings of tasks 3.10 and 3.11: hand data over, let the student train, measure.

Hidden scenes' boxes and labels never leave the grader, and the measures are computed here.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from detcourse import truth
from detcourse.scene_sets import BATCH_SIZE, HIDDEN_SCENES, renamed, scenes_of, secret_names
from detcourse.trainings import (
    once,
    seed_from,
    share_followed,
    turn_of,
    words_on,
)
from detlab.checking.expect import expect_handle, fail
from detlab.checking.student import Handle, Student
from detlab.fast import detect, multibox_terms
from detlab.metrics import mean_average_precision
from detlab.weeks.detection import (
    IOU_THRESHOLD,
    MIN_SCORE,
    TOP_K,
    expect_priors,
    is_fit,
    with_last_square,
)
from detlab.weeks.loaders import BudgetedLoader, offer
from detlab.weeks.week3.assertions import (
    FEATURE_SIZES,
    NUM_CLASSES,
    RATIOS,
    SCALES,
    check_loop_history,
    expect_outputs,
)

BATCH = 8  # scenes to learn by heart
PASSES = 120
NOISE = 0.05  # of the images' deviation: the reference's loss rises from 0.008 to 0.011
REACH = 2  # pixels that a scene is moved at most

TRAIN_SCENES = 6400
EPOCHS = 3
CPU_S = 240.0  # the loader then runs dry


@dataclass(frozen=True)
class Score:
    """What a trained network reached.

    Attributes:
        mean: average precision, all-point at IoU 0.5, mean over the classes.
        loss: the MultiBox loss on the scenes that it was measured on.
        remark: what to say of the training, whatever it reached.
        followed: how far boxes move along with their images, 1 in full; what was not asked is 1.
    """

    mean: float
    loss: float
    remark: str
    followed: float = 1.0


@once
def learned_by_heart(student: Student, rng: torch.Generator) -> Score:
    """Train a network on one batch, and measure it on that batch with a little noise.

    So a table of the images that were shown is of no use, and boxes must follow their images.
    """
    images, boxes, classes = scenes_of("train", 2 * BATCH, seed_from(rng))
    full = [n for n, one in enumerate(classes) if len(one)][:BATCH]
    images, boxes = images[full], [boxes[n] for n in full]
    classes = renamed([classes[n] for n in full], secret_names(rng, NUM_CLASSES))
    net = expect_handle(student.SSD(num_classes=NUM_CLASSES), "`SSD(…)`", "an nn.Module")
    history = student.train(net=net, loader=[(images, boxes, classes)], epochs=PASSES)
    check_loop_history(history, PASSES)
    noisy = images + NOISE * torch.randn(images.shape, generator=rng)
    score = measure(student, net, noisy, boxes, classes)
    priors = expect_own_priors(net)
    share = share_followed(lambda some: answer(net, some)[0], noisy, boxes, priors, REACH, rng)
    return replace(score, followed=share)


@once
def trained(student: Student, rng: torch.Generator) -> Score:
    """Train on fresh scenes of the training digits, measure on fresh scenes of hidden ones."""
    names = secret_names(rng, NUM_CLASSES)
    turn = turn_of(rng)
    images, boxes, classes = scenes_of("train", TRAIN_SCENES, seed_from(rng), turn)
    loader = BudgetedLoader(
        batch_size=BATCH_SIZE,
        max_steps=EPOCHS * -(-len(images) // BATCH_SIZE),
        cpu_s=CPU_S,
        seed=seed_from(rng),
        clock=student.clock,
    )
    loader.add(images, boxes, renamed(classes, names))
    net = student.train_ssd(loader=offer(student, loader), epochs=EPOCHS)
    net = expect_handle(net, "`train_ssd`'s result", "the trained network")
    remark = words_on(loader.progress, CPU_S)
    images, boxes, classes = scenes_of("hidden", HIDDEN_SCENES, seed_from(rng), turn)
    score = measure(student, net, images, boxes, renamed(classes, names))
    return Score(score.mean, score.loss, remark + score.remark)


def measure(
    student: Student, net: Handle, images: Tensor, boxes: list[Tensor], classes: list[Tensor]
) -> Score:
    """Measure a network: the loss and the mean average precision."""
    student.tool("set_training", net, False)
    priors = expect_own_priors(net)
    parts = [answer(net, chunk) for chunk in images.split(BATCH_SIZE)]
    offsets, logits = (torch.cat(part) for part in zip(*parts, strict=True))
    terms = multibox_terms(offsets, logits, boxes, classes, priors)
    found = detect(offsets, logits, priors, MIN_SCORE, IOU_THRESHOLD, TOP_K)
    truths = [{"boxes": b, "labels": c} for b, c in zip(boxes, classes, strict=True)]
    mean = mean_average_precision(found, truths).mean
    words = ""
    if mean < 0.05:
        words = (
            " The network has learned nothing that can be found again: does the loss fall in your "
            "own history, and do answers sit on their priors?"
        )
    return Score(mean, float(sum(terms.values())), words)


def expect_own_priors(net: Handle) -> Tensor:
    """Return a network's priors; what its last extra squares are is looked at in task 3.4 alone."""
    cells = truth.prior_cells(FEATURE_SIZES, SCALES, RATIOS)
    other = with_last_square(cells, FEATURE_SIZES[-1], 1.0)
    priors, what = net.get("priors"), "The network's priors"
    return expect_priors(priors, other if is_fit(priors, other, what) else cells, what)


def answer(net: Handle, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return a network's offsets and logits for some images."""
    outputs = net(images)
    if isinstance(outputs, list | tuple) and len(outputs) == 3:
        for part in outputs[:2]:
            if isinstance(part, Tensor) and not bool(torch.isfinite(part).all()):
                fail(
                    "The trained network answers NaN or infinity: at some step the loss was no "
                    "longer finite. Lower the learning rate, and look for a division by zero or a "
                    "logarithm of zero."
                )
    offsets, logits, _ = expect_outputs(outputs, len(images), NUM_CLASSES)
    return offsets, logits
