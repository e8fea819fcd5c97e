"""Task 5.3: the backbone with its frozen stages, and the head."""

import copy

import pytest
import torch
from torch import Tensor, nn

from detcourse.cases import randint, smooth_images
from detcourse.learning import expect_learning
from detcourse.trainings import seed_from
from detcourse.week5.networks import (
    answers_of_head,
    features_of,
    give_weights,
    head_layers,
    right_backbone,
)
from detlab.checking.expect import expect_close, expect_handle, expect_int, fail
from detlab.checking.own_work import expect_untouched
from detlab.checking.student import Handle, Student
from detlab.weeks.week5.assertions import (
    FORBIDDEN,
    NUM_ANCHORS,
    PER_CELL,
    expect_answers,
    expect_single,
    make_module,
)

pytestmark = [
    pytest.mark.task("5.3", points=8),
    pytest.mark.limits(cpu_s=60, memory_mb=5120, wall_s=240),
    pytest.mark.forbid(*FORBIDDEN),
]

WHAT, HEAD = "`Backbone`'s result", "`SSDHead`'s result"
STAGES = 5
RATE = 0.05


def loaded(student: Student, seed: int) -> Handle:
    """Make a backbone with known weights."""
    return make_module(student, "Backbone", state=student.tool("resnet_state", seed))


def freeze(backbone: Handle, stages: int) -> None:
    """Freeze the first stages of a student's backbone."""
    expect_handle(backbone.get("freeze"), "`Backbone.freeze`", "a method")(stages)


@pytest.mark.weight(2)
def test_backbone(student: Student, rng: torch.Generator) -> None:
    """With given weights the features are those of ResNet-34's last stage; without, random."""
    seed = seed_from(rng)
    state = student.tool("resnet_state", seed)
    # Twice from one state, which is left as it is.
    backbone = [make_module(student, "Backbone", state=state) for _ in range(2)][-1]
    for count, height, width in ((2, 64, 96), (1, 224, 224)):
        images = smooth_images(rng, count, height, width)
        with torch.no_grad():
            right = features_of(right_backbone(seed), images)
        expect_single(backbone(images), WHAT, right.shape)
        compare(backbone, images, right, "512 maps, after the last stage, not pooled.")
    expect_untouched(student, backbone, smooth_images(rng, 1, 64))
    drawn = [make_module(student, "Backbone")(images) for _ in range(2)]
    for one in drawn:
        expect_single(one, f"{WHAT} without a state", right.shape)
    if torch.equal(*drawn):
        fail("Two backbones without a state are alike: their weights must be random.")


def compare(backbone: Handle, images: Tensor, right: Tensor, cause: str) -> None:
    """Compare features; the scale of the right ones is taken away."""
    scale = float(right.abs().mean())
    found = expect_single(backbone(images), WHAT, right.shape)
    expect_close(found / scale, right / scale, WHAT, 2e-3, cause)


@pytest.mark.weight(2)
def test_frozen_statistics(student: Student, rng: torch.Generator) -> None:
    """In training mode frozen stages answer as in evaluation, others normalise by their batch."""
    seed = seed_from(rng)
    backbone, right = loaded(student, seed), copy.deepcopy(right_backbone(seed))
    for count in (STAGES, randint(rng, 1, 4), 0):
        freeze(backbone, count)
        student.tool("set_training", backbone, True)
        right[count:].train()
        # Twice: what is not frozen moves its statistics, which changes nothing in training, and
        # shows in evaluation.
        for _ in range(2):
            ask(backbone, right, rng, in_words(count))
        student.tool("set_training", backbone, False)
        right.eval()
        ask(backbone, right, rng, f"In evaluation again. {in_words(count)}")


@pytest.mark.weight(1)
def test_frozen_at_once(student: Student, rng: torch.Generator) -> None:
    """`freeze` is felt at once, in either mode, and by this backbone alone."""
    seed = seed_from(rng)
    backbone, other = (loaded(student, seed) for _ in range(2))
    right = copy.deepcopy(right_backbone(seed))
    count = randint(rng, 1, 4)
    freeze(backbone, count)
    ask(backbone, right, rng, f"In evaluation, after `freeze({count})`.")
    student.tool("set_training", backbone, True)
    for count in (randint(rng, 2, 4), 1, STAGES):
        freeze(backbone, count)
        right[:count].eval()
        right[count:].train()
        ask(backbone, right, rng, f"`train()` was not called again. {in_words(count)}")
    student.tool("set_training", other, True)
    right = copy.deepcopy(right_backbone(seed)).train()
    ask(other, right, rng, "Of two backbones one was frozen, and this is the other one.")
    train = expect_handle(other.get("train"), "`Backbone.train`", "a method")
    expect_handle(train(False), "`Backbone.train`'s result", "the module itself")


def ask(backbone: Handle, right: nn.ModuleList, rng: torch.Generator, words: str) -> None:
    """Compare a backbone's features with those of one that was treated alike."""
    images = smooth_images(rng, 3, 64, 64)
    with torch.no_grad():
        expected = features_of(right, images)
    compare(backbone, images, expected, words)


def in_words(count: int) -> str:
    """Say what must hold where so many stages are frozen."""
    return (
        f"With {count} of {STAGES} stages frozen, these keep their statistics in training mode "
        "(`train()` must leave them in evaluation mode), and the others use their batch's."
    )


@pytest.mark.weight(2)
def test_frozen_weights(student: Student, rng: torch.Generator) -> None:
    """A step of SGD changes what is not frozen, and nothing else; stages thaw again."""
    seed, images = seed_from(rng), smooth_images(rng, 2, 64, 64)
    state, right = student.tool("resnet_state", seed), copy.deepcopy(right_backbone(seed))
    backbone = make_module(student, "Backbone", state=state)
    for count in (randint(rng, 1, 2), STAGES - 1, 1):
        freeze(backbone, count)
        student.tool("set_training", backbone, False)
        check_learning_numbers(student, backbone, right, count)
        weights = torch.randn(2, 512, 2, 2, generator=rng)
        with torch.no_grad():
            before = features_of(right, images)
        weights /= float(before.abs().mean()) * weights.numel() ** 0.5
        step(right, count, images, weights)
        student.tell("step_downhill", backbone, images, weights, RATE)
        with torch.no_grad():
            expected = features_of(right, images)
        cause = f"Of five stages the first {count} were frozen, and one step of SGD was taken."
        compare(backbone, images, expected, cause)
    with torch.no_grad():
        expected = features_of(right_backbone(seed), images)
    fresh = make_module(student, "Backbone", state=state)
    cause = "A backbone learned, and the state that it was made of has changed: copy what is in it."
    compare(fresh, images, expected, cause)


def check_learning_numbers(
    student: Student, backbone: Handle, right: nn.ModuleList, count: int
) -> None:
    """Check how many numbers are meant to learn: a bias's step is too small to show in features."""
    wanted = sum(one.numel() for stage in right[count:] for one in stage.parameters())
    found = expect_int(student.tool("learning_numbers", backbone), "What learns of `Backbone`")
    # More may be meant to, by who freezes in another way, or keeps a layer that is never used.
    if found < wanted:
        fail(
            f"With {count} of {STAGES} stages frozen {wanted:,} numbers must be meant to learn "
            f"(`requires_grad`): all of the other stages, biases among them. Here {found:,} are."
        )


def step(stages: nn.ModuleList, frozen: int, images: Tensor, weights: Tensor) -> None:
    """Take the step that `step_downhill` takes."""
    for n, stage in enumerate(stages):
        stage.requires_grad_(n >= frozen)
    optimizer = torch.optim.SGD(stages.parameters(), RATE)
    optimizer.zero_grad()
    (features_of(stages, images) * weights).sum().backward()
    optimizer.step()


@pytest.mark.weight(3)
def test_head(student: Student, rng: torch.Generator) -> None:
    """With given weights the head's answers are right, for all 189 anchors in their order."""
    # Of large features all maps exceed 6 in evaluation: what cuts them shows.
    for channels, width, classes, size, scale in ((6, 8, 3, 7, 100), (10, 5, 11, 8, 1)):
        sizes = {"channels_in": channels, "num_classes": classes, "width": width, "drop": 0.0}
        head = make_module(student, "SSDHead", **sizes)
        layers = head_layers(student, head, channels, width, classes, PER_CELL)
        weights = give_weights(student, head, layers, rng)
        features = scale * torch.randn(3, channels, size, size, generator=rng).relu()
        for training in (False, True):
            student.tool("set_training", head, training)
            found = expect_answers(head(features), HEAD, 3, NUM_ANCHORS, classes)
            right = answers_of_head(features, layers, weights, classes, training)
            mode = " in training" if training else " in evaluation"
            for one, expected, name in zip(found, right, ("activations", "logits"), strict=True):
                expect_close(one, expected, f"The {name}{mode}", 2e-3, cause_of(one, expected))
    student.tool("set_training", head, False)
    expect_untouched(student, head, features)


def cause_of(found: Tensor, expected: Tensor) -> str:
    """Say why answers are wrong, if that is plain."""
    if torch.allclose(found[:, -PER_CELL:].double(), expected[:, -PER_CELL:], atol=2e-3):
        return "Those of the map of one cell are right: where do the others sit?"
    flat = [one.double().flatten(1).sort(1).values for one in (found, expected)]
    if torch.allclose(*flat, atol=2e-3):
        return "The numbers are right, but not their places: first the largest map's, row by row."
    return ""


@pytest.mark.weight(1)
def test_fresh_head(student: Student, rng: torch.Generator) -> None:
    """A fresh head has 256 channels, logits about `bias`, and drops what it is told to."""
    head = make_module(student, "SSDHead", channels_in=512, num_classes=5)
    head_layers(student, head, 512, 256, 5, PER_CELL)
    features = torch.rand(2, 512, 7, 7, generator=rng)
    logits = expect_answers(head(features), HEAD, 2, NUM_ANCHORS, 5)[1]
    if abs(float(logits.mean()) + 4) > 1:
        fail(f"A fresh head's logits lie about {float(logits.mean()):.1f}, not about `bias`, −4.")
    options = {"channels_in": 8, "num_classes": 3, "width": 6, "bias": -9.0, "drop": 0.5}
    head = make_module(student, "SSDHead", **options)
    features = torch.rand(4, 8, 7, 7, generator=rng)
    logits = expect_answers(head(features), HEAD, 4, NUM_ANCHORS, 3)[1]
    if abs(float(logits.mean()) + 9) > 2:
        fail("`SSDHead` must hand `bias` on to its `OutputBlock`.")
    student.tool("set_training", head, True)
    answers = [expect_answers(head(features), HEAD, 4, NUM_ANCHORS, 3)[1] for _ in range(2)]
    if torch.allclose(*answers):
        fail("In training a head with `drop` 0.5 answers twice the same: hand `drop` on.")


@pytest.mark.weight(1)
def test_learning(student: Student, rng: torch.Generator) -> None:
    """Gradients reach every parameter of the head, and the features."""
    head = make_module(student, "SSDHead", channels_in=5, num_classes=3, width=6)
    layers = head_layers(student, head, 5, 6, 3, PER_CELL)
    give_weights(student, head, layers, rng)
    expect_learning(
        student,
        head,
        lambda given: expect_answers(head(*given), HEAD, 4, NUM_ANCHORS, 3),
        [torch.randn(4, 5, 8, 8, generator=rng).relu()],
        rng,
        "`SSDHead`",
        inputs=True,
        frozen=False,
    )
