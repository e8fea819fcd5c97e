"""Visible checks of tasks 5.1 and 5.3 that look at how parts learn, freeze and drop."""

import copy
import functools

import torch
from torch import Tensor, nn
from torchvision.models import resnet34
from torchvision.models._utils import IntermediateLayerGetter

from detlab.checking.expect import expect_close, expect_handle, expect_int, fail
from detlab.checking.own_work import expect_untouched
from detlab.checking.student import Handle, Student
from detlab.checking.visible import visible
from detlab.weeks.week5.assertions import (
    NUM_ANCHORS,
    PER_CELL,
    expect_answers,
    expect_single,
    make_module,
)
from detlab.weeks.week5.tools import resnet_state, step_downhill

SEED = 3
# Parameters of ResNet-34's stages: the stem, then the four layers.
STAGES = (9_536, 221_952, 1_116_416, 6_822_400, 13_114_368)
RATE = 0.05
WHAT = "`Backbone`'s result"


def public(*shape: int) -> Tensor:
    """Return the same random numbers each time, in [0, 1)."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


def expect_to_learn(student: Student, module: Handle, wanted: int, what: str) -> None:
    """Check that at least so many numbers of a module are meant to learn."""
    found = expect_int(student.tool("learning_numbers", module), "What learns")
    if found < wanted:
        fail(
            f"Of {what} {wanted:,} numbers must be meant to learn (`requires_grad`), biases among "
            f"them; here {found:,} are."
        )


@visible("5.1")
def dropping(student: Student) -> None:
    """A block drops single numbers, as many as `drop` says, and moves its statistics."""
    net = make_module(student, "ConvBlock", channels_in=2, channels_out=4, stride=1, drop=0.2)
    features = public(4, 2, 9, 9)
    before = expect_single(net(features), "`ConvBlock`'s result", (4, 4, 9, 9))
    student.tool("set_training", net, True)
    answer = expect_single(net(features), "`ConvBlock`'s result", (4, 4, 9, 9))
    share = float((answer == 0).float().mean())
    if not 0.12 < share < 0.28:
        fail(f"In training {share:.2f} of the numbers are dropped where `drop` is 0.2.")
    if bool((answer == 0).flatten(2).all(-1).any()):
        fail("In training whole maps are dropped: dropout is for each number by itself.")
    student.tool("set_training", net, False)
    if torch.equal(expect_single(net(features), "`ConvBlock`'s result", (4, 4, 9, 9)), before):
        fail("After a batch in training mode the normalisation's statistics are the same.")


@visible("5.1")
def learning(student: Student) -> None:
    """What learns in the output block, and whether it answers alike in both modes."""
    sizes = {"channels_in": 2, "per_cell": 3, "num_classes": 4}
    net = make_module(student, "OutputBlock", **sizes)
    expect_to_learn(student, net, (4 * 3 + 4 * 3) * (2 * 9 + 1), "the two convolutions")
    features = public(1, 2, 2, 2)
    expect_untouched(student, net, features)
    calm = expect_answers(net(features), "`OutputBlock`'s result", 1, 12, 4)
    student.tool("set_training", net, True)
    busy = expect_answers(net(features), "`OutputBlock`'s result", 1, 12, 4)
    for one, other in zip(calm, busy, strict=True):
        expect_close(other, one, "The answers in training mode", cause="Nothing is dropped here.")


@functools.cache
def library_net() -> nn.Module:
    """Return torchvision's network with the public weights, up to its last feature maps."""
    with torch.device("meta"):
        net = resnet34()
    net.load_state_dict(resnet_state(SEED), assign=True)
    return IntermediateLayerGetter(net, {"layer4": "features"}).eval()


def features_of(net: nn.Module, images: Tensor) -> Tensor:
    """Return the features of torchvision's network."""
    return net(images)["features"]


def expect_features(backbone: Handle, images: Tensor, expected: Tensor, cause: str) -> None:
    """Compare a backbone's features; the scale of the right ones is taken away."""
    found = expect_single(backbone(images), WHAT, expected.shape)
    scale = float(expected.abs().mean())
    expect_close(found / scale, expected / scale, WHAT, 2e-3, cause)


def freeze(backbone: Handle, stages: int) -> None:
    """Freeze the first stages of a backbone."""
    expect_handle(backbone.get("freeze"), "`Backbone.freeze`", "a method")(stages)


@visible("5.3")
def backbone(student: Student) -> None:
    """The features are those of torchvision's last stage, and stay so when stages are frozen."""
    state, images = student.tool("resnet_state", SEED), public(2, 3, 64, 64) - 0.5
    net, other = (make_module(student, "Backbone", state=state) for _ in range(2))
    expect_single(net(public(1, 3, 224, 224)), WHAT, (1, 512, 7, 7))
    with torch.no_grad():
        expected = features_of(library_net(), images)
    expect_features(net, images, expected, "After the ReLU of the last stage, not pooled.")
    expect_untouched(student, net, images)
    freeze(net, 2)
    expect_features(net, images, expected, "In evaluation mode, which `freeze` does not end.")
    student.tool("set_training", net, True)
    freeze(net, 5)
    cause = "In training mode, after `freeze(5)`, which takes effect at once."
    expect_features(net, images, expected, cause)
    student.tool("set_training", net, True)
    cause = (
        "With all five stages frozen, in training mode: frozen normalisations keep their "
        "statistics, whenever `train()` is called."
    )
    expect_features(net, images, expected, cause)
    student.tool("set_training", other, True)
    if is_calm(other, images, expected):
        fail("One backbone was frozen, and another one's normalisations keep their statistics.")
    freeze(net, 0)
    student.tool("set_training", net, True)
    if is_calm(net, images, expected):
        fail("With no stage frozen, normalisations must use their batch in training mode.")


def is_calm(backbone: Handle, images: Tensor, expected: Tensor) -> bool:
    """Say whether a backbone answers as in evaluation mode."""
    now = expect_single(backbone(images), WHAT, expected.shape)
    return torch.allclose(now, expected, rtol=1e-3, atol=1e-3)


@visible("5.3")
def what_learns(student: Student) -> None:
    """What learns where the first stages are frozen, and after they thaw."""
    state, images = student.tool("resnet_state", SEED), public(2, 3, 64, 64) - 0.5
    net = make_module(student, "Backbone", state=state)
    for count in (1, 4, 2):
        freeze(net, count)
        expect_to_learn(student, net, sum(STAGES[count:]), f"stages {count + 1} to 5")
    freeze(net, 4)
    student.tool("set_training", net, False)
    with torch.no_grad():
        before = features_of(library_net(), images)
    # So small that the step changes the features, and does not blow them up.
    weights = public(*before.shape) - 0.5
    weights /= 10 * float(before.abs().mean()) * weights.numel() ** 0.5
    student.tell("step_downhill", net, images, weights, RATE)
    right = copy.deepcopy(library_net())
    right.requires_grad_(False)["layer4"].requires_grad_(True)
    step_downhill(Features(right), images, weights, RATE)
    with torch.no_grad():
        expected = features_of(right, images)
    cause = "After a step of SGD, with four stages frozen: `layer4` learns, and nothing else."
    expect_features(net, images, expected, cause)
    fresh = make_module(student, "Backbone", state=state)
    cause = "A backbone learned, and the state that it was made of has changed: copy what is in it."
    expect_features(fresh, images, before, cause)


class Features(nn.Module):
    """The library's network as a backbone: it answers with a tensor."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> Tensor:
        """Return the features."""
        return features_of(self.net, images)


@visible("5.3")
def head_settings(student: Student) -> None:
    """The head's width, its biases, what it drops, and what of it learns."""
    sizes = {"channels_in": 4, "num_classes": 3, "width": 6, "drop": 0.5}
    given = public(4, 4, 8, 8)
    logits = []
    for bias in (-1.0, -9.0):
        student.seed(1)
        net = make_module(student, "SSDHead", **sizes, bias=bias)
        answers = expect_answers(net(given), "`SSDHead`'s result", 4, NUM_ANCHORS, 3)
        logits.append(answers[1].mean())
    if abs(float(logits[0] - logits[1]) - 8) > 2:
        fail("`SSDHead` must hand `bias` on: from −9 to −1 its logits rise by 8.")
    blocks = 6 * (4 * 9 + 1) + 3 * 6 * (6 * 9 + 1) + 4 * 2 * 6
    expect_to_learn(student, net, blocks + 7 * PER_CELL * (6 * 9 + 1), "the head")
    student.tool("set_training", net, True)
    answers = [
        expect_answers(net(given), "`SSDHead`'s result", 4, NUM_ANCHORS, 3)[1] for _ in range(2)
    ]
    if torch.allclose(*answers):
        fail("In training a head with `drop` 0.5 answers twice the same: hand `drop` on.")
