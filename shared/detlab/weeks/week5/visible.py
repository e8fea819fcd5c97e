"""Visible checks of week 5. They test what the statements say on small public inputs."""

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

from detlab.checking.expect import (
    expect_close,
    expect_floats,
    expect_handle,
    expect_list,
    expect_number,
    fail,
)
from detlab.checking.own_work import expect_untouched
from detlab.checking.student import Handle, Student
from detlab.checking.visible import visible
from detlab.weeks.detection import expect_detections
from detlab.weeks.loaders import BudgetedLoader, offer
from detlab.weeks.week5.assertions import (
    GRIDS,
    NUM_ANCHORS,
    NUM_CLASSES,
    PER_CELL,
    RATIOS,
    ZOOMS,
    check_anchors,
    check_captions,
    check_figure,
    check_sides,
    expect_answers,
    expect_own_work,
    expect_single,
    layers_of,
    make_module,
    parts_of_head,
)
from detlab.weeks.week5.visible_networks import (
    backbone,
    dropping,
    head_settings,
    learning,
    what_learns,
)

__all__ = ["backbone", "dropping", "head_settings", "learning", "what_learns"]  # beside those below


def public(*shape: int, seed: int = 1) -> Tensor:
    """Return the same random numbers each time, in [0, 1)."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def fill(student: Student, module: Handle, layers: list, values: list[dict[str, Tensor]]) -> None:
    """Give the layers of a module these weights."""
    prefixes = [f"{layer['name']}." if layer["name"] else "" for layer in layers]
    named = zip(prefixes, values, strict=True)
    student.tell("set_state", module, {p + k: v for p, part in named for k, v in part.items()})


def centre_tap(channels: int) -> Tensor:
    """Return weights of a 3×3 convolution that leaves all maps as they are."""
    weights = torch.zeros(channels, channels, 3, 3)
    weights[range(channels), range(channels), 1, 1] = 1
    return weights


@visible("5.1")
def block(student: Student) -> None:
    """A block is convolution, ReLU, normalisation: in this order."""
    net = make_module(student, "ConvBlock", channels_in=2, channels_out=2, stride=2)
    features = 40 * (public(1, 2, 7, 7) - 0.5)
    layers = layers_of(student, net, [features], "`ConvBlock`", "cn")
    norm = {"weight": [1.0, 2.0], "bias": [-1.0, 0.5], "running_mean": [0.2, 0.0]}
    norm = {name: torch.tensor(value) for name, value in norm.items()}
    norm["running_var"] = torch.full((2,), 0.25)
    fill(student, net, layers, [{"weight": centre_tap(2), "bias": torch.zeros(2)}, norm])
    # The centres of the places that a stride of 2 leaves: every other number, from the first.
    kept = features[:, :, ::2, ::2].clamp(min=0)
    expected = (kept - torch.tensor([0.2, 0.0]).view(2, 1, 1)) / 0.5
    expected = expected * torch.tensor([1.0, 2.0]).view(2, 1, 1)
    expected += torch.tensor([-1.0, 0.5]).view(2, 1, 1)
    cause = "ReLU comes before the normalisation: numbers below the shifted zero must not be."
    expect_close(net(features), expected, "`ConvBlock`'s result", 1e-3, cause)
    net = make_module(student, "ConvBlock", channels_in=2, channels_out=4, stride=1, drop=0.5)
    student.tool("set_training", net, True)
    answer = expect_single(net(public(4, 2, 9, 9)), "`ConvBlock`'s result", (4, 4, 9, 9))
    share = float((answer == 0).float().mean())
    if not 0.4 < share < 0.6:
        fail(f"In training {share:.2f} of the numbers are dropped where `drop` is 0.5.")


@visible("5.1")
def places_of_answers(student: Student) -> None:
    """Row (i·W + j)·k + a of the answers is for anchor a of cell (i, j)."""
    net = make_module(student, "OutputBlock", channels_in=1, per_cell=2, num_classes=3)
    features = torch.arange(6.0).view(1, 1, 2, 3) + 1
    layers = layers_of(student, net, [features], "`OutputBlock`", "cc")
    values = []
    for layer in layers:
        # Channel n answers n plus ten times what the cell itself holds.
        channels = layer.get("out_channels")
        if channels not in (8, 6):
            fail("`OutputBlock` needs one convolution of 4·k channels and one of C·k.")
        weights = torch.zeros(channels, 1, 3, 3)
        weights[:, :, 1, 1] = 10
        values.append({"weight": weights, "bias": torch.arange(float(channels))})
    fill(student, net, layers, values)
    found = expect_answers(net(features), "`OutputBlock`'s result", 1, 12, 3)
    cells = 10 * (torch.arange(6.0) + 1)
    for one, numbers, name in zip(found, (4, 3), ("activations", "logits"), strict=True):
        channels = torch.arange(2.0 * numbers).view(1, 2, numbers)
        expected = (cells.view(6, 1, 1) + channels).reshape(1, 12, numbers)
        cause = "The rows sit on other anchors: look at the order of the axes before `reshape`."
        expect_close(one, expected, f"The {name}", 1e-4, cause)


@visible("5.1")
def fresh_biases(student: Student) -> None:
    """Where all features are 0, the logits of a fresh block are its `bias`."""
    sizes = {"channels_in": 2, "per_cell": 3, "num_classes": 4}
    for options in ({}, {"bias": -2.5}):
        net = make_module(student, "OutputBlock", **sizes, **options)
        _, logits = expect_answers(net(torch.zeros(1, 2, 2, 2)), "The result", 1, 12, 4)
        bias = options.get("bias", -4.0)
        expect_close(logits, torch.full((1, 12, 4), bias), f"The logits of a bias of {bias}")


@visible("5.2")
def two_maps(student: Student) -> None:
    """The anchors of a map of 2×2 cells and of one cell are what one computes by hand."""
    ratios = [(1.0, 1.0), (1.0, 0.5)]
    answer = student.make_anchors(grids=[2, 1], zooms=[0.8, 1.2], ratios=ratios)
    sides = torch.tensor([[0.4, 0.4], [0.4, 0.2], [0.6, 0.6], [0.6, 0.3]])
    centres = torch.tensor([[0.25, 0.25], [0.75, 0.25], [0.25, 0.75], [0.75, 0.75]])
    first = torch.cat([centres[:, None].expand(4, 4, 2), sides.expand(4, 4, 2)], -1)
    last = torch.cat([torch.full((4, 2), 0.5), 2 * sides], 1)[None]
    cells = torch.tensor([0.5] * 16 + [1.0] * 4).double()
    check_anchors(answer, torch.cat([first, last]).double())
    check_sides(answer, cells)


@visible("5.2")
def how_many(student: Student) -> None:
    """With the settings of this week there are 189 anchors."""
    anchors, cells = expect_list(
        student.make_anchors(grids=GRIDS, zooms=ZOOMS, ratios=RATIOS), "The result", 2
    )
    expect_single(anchors, "The anchors", (NUM_ANCHORS, 4))
    expect_single(cells, "The sides of the cells", (NUM_ANCHORS,))
    expect_own_work(student, "make_anchors", grids=GRIDS, zooms=ZOOMS, ratios=RATIOS)


@visible("5.3")
def head(student: Student) -> None:
    """The head answers for 189 anchors, with five convolutions and one output block."""
    sizes = {"channels_in": 6, "num_classes": 3, "width": 8}
    net = make_module(student, "SSDHead", **sizes)
    for size in (7, 8):
        features = public(2, 6, size, size)
        expect_answers(net(features), "`SSDHead`'s result", 2, NUM_ANCHORS, 3)
    parts_of_head(student, net, features)
    # A change in the upper right corner reaches the first map's right cells before all.
    changed = features.clone()
    changed[..., :2, 6:] += 3
    before, after = (
        expect_answers(net(one), "`SSDHead`'s result", 2, NUM_ANCHORS, 3)[1]
        for one in (features, changed)
    )
    moved = (after - before).abs().sum((0, 2))[: 16 * PER_CELL].view(4, 4, PER_CELL).sum(-1)
    if int(moved.argmax()) not in (2, 3, 6, 7):
        fail("A change in the upper right moves the answers for other places most.")


@visible("5.4")
def boxes(student: Student) -> None:
    """Boxes of three anchors are what one computes by hand, for one image and for two."""
    anchors = torch.tensor([[0.5, 0.5, 0.4, 0.2], [0.25, 0.75, 0.5, 0.5], [0.5, 0.5, 1.0, 1.3]])
    cells = torch.tensor([0.25, 0.5, 1.0])
    half = math.atanh(0.5)
    given = [[0.0, 0.0, 0.0, 0.0], [half, -half, 0.0, half], [100.0, 0.0, -100.0, 0.0]]
    expected = [[0.3, 0.4, 0.7, 0.6], [0.125, 0.3125, 0.625, 0.9375], [0.75, -0.15, 1.25, 1.15]]
    given, expected = torch.tensor(given), torch.tensor(expected)
    call = {"anchors": anchors, "cells": cells}
    answer = student.boxes_from(activations=given, **call)
    expect_close(answer, expected, "The boxes", 1e-5, causes_of_boxes(answer, expected))
    both = student.boxes_from(activations=torch.stack([given, given.flip(1)]), **call)
    both = expect_floats(both, "The boxes of two images", (2, 3, 4))
    expect_close(both[0], expected, "The boxes of the first of two images", 1e-5)
    turned = student.boxes_from(activations=given.flip(1), **call)
    expect_close(both[1], turned, "The boxes of the second of two images", 1e-5)
    moved = student.boxes_from(activations=torch.full((3, 4), half), **call)
    # By a quarter of the cell's side, and wider by a quarter of the anchor's.
    centres = anchors[:, :2] + cells[:, None] / 4
    sides = 1.25 * anchors[:, 2:] / 2
    moved_right = torch.cat([centres - sides, centres + sides], 1)
    cause = "A centre moves by half of its cell's side at most, whatever its anchor's."
    expect_close(moved, moved_right, "The boxes of equal activations", 1e-5, cause)
    expect_untouched(student, "boxes_from", given, anchors, cells)
    expect_single(answer, "The boxes", (3, 4))
    function = student.make("function", "weighted", student.fetch("boxes_from"), torch.ones(3, 4))
    found = student.tool("gradients", function, [given, anchors, cells], 1)
    if expect_list(found, "The gradients", 1)[0] is None:
        fail("The boxes are cut off from the activations.")


def causes_of_boxes(answer: object, expected: Tensor) -> str:
    """Guess why boxes are wrong; the empty string when nothing is plain."""
    if not isinstance(answer, Tensor) or not answer.is_floating_point():
        return ""
    if answer.shape != expected.shape or answer.dtype != expected.dtype:
        return ""
    first, last = expected[:, :2], expected[:, 2:]
    if torch.allclose(answer, torch.cat([(first + last) / 2, last - first], 1), atol=1e-4):
        return "They must be `xyxy`, but are `cxcywh`."
    if torch.allclose(answer, expected.clamp(0, 1), atol=1e-4):
        return "They must not be clipped."
    return ""


@visible("5.5")
def values(student: Student) -> None:
    """The loss of two anchors is what one computes by hand."""
    logits = torch.tensor([[[9.0, 0.0, math.log(3)], [-9.0, math.log(4), -math.log(9)]]])
    classes = torch.tensor([[2, 0]])
    # p is 1/2 and 3/4 for the first anchor, of class 2; 4/5 and 1/10 for the background.
    parts = [(0.75, 1 / 2), (0.25, 1 / 4), (0.75, 4 / 5), (0.75, 1 / 10)]
    for gamma in (1.0, 2.0, 0.0):
        total = sum(-w * q**gamma * math.log(1 - q) for w, q in parts)
        answer = student.focal_loss(logits=logits, classes=classes, gamma=gamma)
        answer = expect_number(answer, "`focal_loss`'s result")
        if min(abs(answer - total / n) for n in (2, 1)) > 1e-4:
            fail(
                f"With γ = {gamma:g} the loss of four questions, two of each anchor, is wrong. "
                "Is the background's column dropped, and 1 − α with the targets 0?",
                f"Expected {total / 2:.5f}, got {answer:.5f}.",
            )


@visible("5.5")
def divisor(student: Student) -> None:
    """The loss is divided by C − 1, or by the positives, with and without objects."""
    logits, classes = torch.zeros(2, 4, 5), torch.tensor([[1, 0, 2, 0], [3, 0, 0, 0]])
    found = []
    for some in (classes, torch.zeros_like(classes)):
        answer = student.focal_loss(logits=logits, classes=some, gamma=2.0)
        found.append(expect_number(answer, "`focal_loss`'s result"))
    positives = int((classes > 0).sum())
    one_question = math.log(2) / 4  # times α for a target of 1, 1 − α for 0
    totals = [one_question * (0.25 * n + 0.75 * (32 - n)) for n in (positives, 0)]
    ways = [(totals[0] / a, totals[1] / b) for a, b in ((4, 4), (positives, 1))]
    if all(abs(found[0] - one) + abs(found[1] - none) > 1e-4 for one, none in ways):
        fail(
            "Two images of four anchors and four classes, with three positives and with none: the "
            "sum is divided by C − 1 both times, or by the positives, at least 1, both times.",
            f"Expected {ways[0][0]:.4f} and {ways[0][1]:.4f}, or {ways[1][0]:.4f} and "
            f"{ways[1][1]:.4f}; got {found[0]:.4f} and {found[1]:.4f}.",
        )


@visible("5.5")
def gradients(student: Student) -> None:
    """The weights are constants, and logits of ±100 are no danger."""
    logits = torch.tensor([[[0.0, 1.0], [0.0, -2.0], [0.0, 100.0], [0.0, -100.0]]])
    classes = torch.tensor([[1, 0, 0, 1]])
    function = student.fetch("focal_loss")
    answer = student.tool("gradients", function, [logits, classes], 1)
    found = expect_list(answer, "The gradients", 1)[0]
    if found is None:
        fail("The loss is cut off from the logits, so nothing can be learned.")
    found = expect_floats(found, "The gradient", (1, 4, 2))
    if bool(found[..., 0].any()):
        fail("A gradient reaches the background's column.")
    away = torch.tensor([-1.0, -2.0, 100.0, 100.0])
    wrong = torch.sigmoid(away)
    expected = wrong * wrong * torch.tensor([-0.25, 0.75, 0.75, -0.25])
    ways = [torch.allclose(found[0, :, 1] * n, expected, atol=1e-5) for n in (1, 2)]
    if not any(ways):
        total = float((expected.abs() / wrong * softplus(away)).sum())
        value = expect_number(student.focal_loss(logits=logits, classes=classes), "The loss")
        is_right = any(abs(value * n - total) < 1e-3 for n in (1, 2))
        cause = "Does a gradient run through the weights? They are constants." if is_right else ""
        expect_close(found[0, :, 1], expected, "The gradient", 1e-5, cause)


@visible("5.6")
def detections(student: Student) -> None:
    """Three anchors become detections of two classes, each with its own score."""
    anchors = torch.tensor([[0.3, 0.3, 0.4, 0.4], [0.3, 0.3, 0.4, 0.36], [0.8, 0.8, 0.2, 0.2]])
    cells = torch.full((3,), 0.5)
    logits = torch.full((3, 3, 3), -9.0)
    logits[1, :, 1] = torch.tensor([1.0, 2.0, 0.5])
    logits[1, 2, 2] = 1.5
    logits[2, 0, 1] = 1.0
    logits[:, :, 0] = 9.0
    given = {"activations": torch.zeros(3, 3, 4), "logits": logits, "anchors": anchors}
    nothing, found, alone = expect_detections(student.detect(**given, cells=cells), 3)
    if len(nothing["labels"]):
        fail("In the first image nothing is sure enough, but something is found there.")
    if found["labels"].tolist() != [1, 2, 1]:
        fail(
            "In the second image the second anchor is found as class 1 and suppresses the first; "
            "the third is found as class 2 and as class 1.",
            f"The labels are {found['labels'].tolist()}.",
        )
    scores = torch.tensor([2.0, 1.5, 0.5]).sigmoid()
    cause = "Are these the scores of the boxes that remain, or of all before the suppression?"
    expect_close(found["scores"], scores, "The scores", 1e-5, cause)
    right = [[0.1, 0.12, 0.5, 0.48], [0.7, 0.7, 0.9, 0.9], [0.7, 0.7, 0.9, 0.9]]
    expect_close(found["boxes"], torch.tensor(right), "The boxes", 1e-4)
    if alone["labels"].tolist() != [1]:
        fail(
            "In the third image only the first anchor is found, and nothing there suppresses it: "
            "a box of the second image cannot."
        )


@visible("5.6")
def settings(student: Student) -> None:
    """What `min_score` and `top_k` leave, and where activations move the boxes."""
    anchors = torch.tensor([[0.3, 0.3, 0.4, 0.4], [0.3, 0.3, 0.4, 0.38], [0.8, 0.8, 0.2, 0.2]])
    logits = torch.tensor([[[0.0, 3.0], [0.0, 2.0], [0.0, 1.0]]])
    given = {"activations": torch.zeros(1, 3, 4), "logits": logits, "anchors": anchors}
    given["cells"] = torch.full((3,), 0.5)
    for top_k, expected in ((2, [3.0, 1.0]), (1, [3.0])):
        (found,) = expect_detections(student.detect(**given, top_k=top_k), 1)
        scores = torch.tensor(expected).sigmoid()
        if found["scores"].shape != scores.shape or not torch.allclose(found["scores"], scores):
            fail(
                f"The second box is suppressed by the first, the third lies apart: {len(expected)} "
                f"of them remain with `top_k` {top_k}, which counts what the suppression leaves.",
            )
    exact = given | {"logits": torch.tensor([[[0.0, 0.0], [0.0, 0.0], [0.0, 1.0]]])}
    (found,) = expect_detections(student.detect(**exact, min_score=0.5), 1)
    if len(found["scores"]) != 1:
        fail("A score of one half does not exceed a `min_score` of one half.")
    moved = given | {"activations": torch.full((1, 3, 4), math.atanh(0.5))}
    (found,) = expect_detections(student.detect(**moved, top_k=1), 1)
    box = torch.tensor([[0.175, 0.175, 0.675, 0.675]])
    expect_close(found["boxes"], box, "The box that its activations moved", 1e-4)


@visible("5.6")
def display(student: Student) -> None:
    """The figure shows two boxes, each in the colour of its own score."""
    from matplotlib import colormaps

    image = torch.stack([torch.full((60, 90), level) for level in (0.1, 0.6, 0.2)])
    image[:, 20:40, 30:60] *= 0.5
    found = {
        "boxes": torch.tensor([[0.105, 0.106, 0.404, 0.507], [0.505, 0.406, 0.905, 0.907]]),
        "labels": torch.tensor([2, 1]),
        "scores": torch.tensor([0.308, 0.9]),
    }
    given = {"image": image, "detections": found, "names": ["cell", "plate"]}
    figure = student.show_detections(**given)
    check_figure(student, figure, image, found, colormaps["plasma"])
    check_captions(student, figure, found, given["names"], (90, 60))


def public_batch() -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Return a batch of four small scenes with 0, 1, 2 and 2 objects."""
    boxes = torch.tensor([[0.1, 0.2, 0.5, 0.7], [0.55, 0.5, 0.9, 0.95]])
    labels, counts = torch.tensor([4, 9]), (0, 1, 2, 2)
    images = public(4, 1, 32, 32) - 0.5
    return images, [boxes[:n] for n in counts], [labels[:n] for n in counts]


@visible("5.7")
def short_training(student: Student) -> None:
    """`train_detector` takes all batches of two passes, with either loss, and answers."""
    for loss in ("focal", "hard negatives"):
        loader = BudgetedLoader(batch_size=2, max_steps=4, cpu_s=60.0, seed=0)
        loader.add(*public_batch())
        net = student.train_detector(loader=offer(student, loader), epochs=2, loss=loss)
        net = expect_handle(net, "`train_detector`'s result", "the trained network")
        student.tool("set_training", net, False)
        expect_answers(net(public_batch()[0]), "The network's result", 4, NUM_ANCHORS, NUM_CLASSES)
        steps = loader.progress.steps
        if steps != 4:
            fail(f"The loader offered 4 batches in two passes, but {steps} were taken.")
