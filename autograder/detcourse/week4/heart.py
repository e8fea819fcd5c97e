"""The training of task 4.10: two scenes again and again, then the measuring."""

from dataclasses import dataclass

import torch

from detcourse.color_scenes import make_scene
from detcourse.trainings import once, seed_from, share_followed, words_on
from detcourse.week4.pipeline import transform
from detlab.checking.expect import expect_handle, fail
from detlab.checking.student import Handle, Student
from detlab.digits import load_digits
from detlab.fast import detect, multibox_terms
from detlab.metrics import mean_average_precision
from detlab.weeks.detection import IOU_THRESHOLD, MIN_SCORE, TOP_K, expect_floats
from detlab.weeks.loaders import RepeatingLoader, offer
from detlab.weeks.week4.assertions import NUM_PRIORS, expect_answers

TIMES = 60
CPU_S = 300.0
NOISE = 0.05  # of the images' deviation
REACH = 8  # pixels that an image is moved at most
NUM_CLASSES = 11


@dataclass(frozen=True)
class Score:
    """What the network reached on its two images.

    Attributes:
        loss: both terms together.
        mean: average precision, all-point.
        remark: on the training.
        followed: how far boxes move along with their images, 1 in full.
    """

    loss: float
    mean: float
    remark: str
    followed: float


def two_scenes(rng: torch.Generator) -> tuple[torch.Tensor, list, list]:
    """Make two scenes of at least two digits, ready for the network, with secret labels."""
    names = torch.cat([torch.zeros(1).long(), 1 + torch.randperm(NUM_CLASSES - 1, generator=rng)])
    images, boxes, labels = [], [], []
    digits = load_digits("train")
    while len(images) < 2:
        image, target = transform(*make_scene(*digits, rng))
        if 2 <= len(target["labels"]) <= 3:
            images.append(image)
            boxes.append(target["boxes"])
            labels.append(names[target["labels"]])
    return torch.stack(images), boxes, labels


def priors_of(student: Student) -> torch.Tensor:
    """Return the student's priors: those that its network learned with.

    They are looked at in task 4.7; here they need only be boxes.
    """
    found = expect_floats(student.make_priors(), "`make_priors`'s result", (NUM_PRIORS, 4)).float()
    if float(found[:, 2:].min()) <= 0:
        fail("Each prior must have a width and a height.")
    return found


def answers_of(net: Handle, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a network's offsets and logits."""
    return expect_answers(net(images), "The trained network's result", len(images), NUM_CLASSES)


@once
def learned_by_heart(student: Student, rng: torch.Generator) -> Score:
    """Let a network learn two scenes by heart, and measure it on them with a little noise.

    So a table of the images that were shown is of no use, and boxes must follow their images.
    """
    images, boxes, labels = two_scenes(rng)
    student.seed(seed_from(rng))
    loader = RepeatingLoader((images, boxes, labels), TIMES, CPU_S, student.clock)
    net = student.learn_by_heart(loader=offer(student, loader), num_classes=NUM_CLASSES)
    net = expect_handle(net, "`learn_by_heart`'s result", "the trained network")
    remark = words_on(loader.progress, CPU_S)
    student.tool("set_training", net, False)
    images = images + NOISE * torch.randn(images.shape, generator=rng)
    offsets, logits = answers_of(net, images)
    own = priors_of(student)
    followed = share_followed(lambda some: answers_of(net, some)[0], images, boxes, own, REACH, rng)
    found = detect(offsets, logits, own, MIN_SCORE, IOU_THRESHOLD, TOP_K)
    truths = [{"boxes": b, "labels": c} for b, c in zip(boxes, labels, strict=True)]
    terms = multibox_terms(offsets, logits, boxes, labels, own)
    mean = mean_average_precision(found, truths).mean
    return Score(float(sum(terms.values())), mean, remark, followed)
