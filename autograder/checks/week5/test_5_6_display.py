"""Task 5.6: detections, class by class, and their display.

Scores are distinct and no overlap lies at a threshold, so that only one answer is right.
"""

import functools
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from detcourse.cases import random_boxes, uniform
from detcourse.comparisons import Settings, are_full, compare_found, is_settled
from detcourse.draws import draws
from detcourse.truth import Detections
from detcourse.week5 import truth
from detlab.checking.expect import fail
from detlab.checking.own_work import expect_untouched
from detlab.checking.student import Student
from detlab.weeks.detection import expect_detections
from detlab.weeks.week5.assertions import (
    FORBIDDEN,
    check_captions,
    check_figure,
    expect_own_work,
)

pytestmark = [pytest.mark.task("5.6", points=5), pytest.mark.forbid(*FORBIDDEN)]

DEFAULTS = Settings(0.25, 0.5, 20)
Made = tuple[Tensor, Tensor, Tensor, Tensor]


def outputs(
    rng: torch.Generator,
    count: int,
    num_classes: int,
    settings: Settings,
    level: float = -2.0,
    suits: Callable[[Detections], bool] = bool,
) -> Made:
    """Return activations, logits, anchors and cells whose detections leave no doubt.

    Args:
        level: of the logits; the higher, the more is found.
        suits: says whether the right detections are such that the check sees what it is for.
    """
    cells = truth.anchor_cells([3, 2], [0.8, 1.2], [(1.0, 1.0), (1.0, 0.6)])
    anchors = cells.flatten(0, 1).float()
    sides = truth.sides_of_cells([3, 2], 4).float()
    for _ in draws():
        activations = torch.randn(count, len(anchors), 4, generator=rng)
        logits = level + 1.5 * torch.randn(count, len(anchors), num_classes, generator=rng)
        made = activations, logits, anchors, sides
        boxes = truth.boxes_from(activations.double(), anchors.double(), sides.double())
        scores = logits.double().sigmoid()[..., 1:]
        clear = all(is_settled(s, b, settings) for s, b in zip(scores, boxes, strict=True))
        if clear and is_telling(made, settings) and suits(truth.detect(*made, *settings)):
            return made


def is_telling(made: Made, settings: Settings) -> bool:
    """Say whether it shows in what is found what suppresses what.

    Something suppressed is better than the last that is found, and a box of one image would
    suppress one that is found in another. A single best detection shows neither.
    """
    if settings.top_k == 1:
        return True
    activations, logits, anchors, sides = made
    count, (least, _, top_k) = len(logits), settings
    right = truth.detect(*made, *settings)
    unsuppressed = truth.detect(*made, least, 1.0, top_k)
    within = any(
        not torch.equal(one["scores"], every["scores"][: len(one["scores"])])
        for one, every in zip(right, unsuppressed, strict=True)
    )
    in_one = activations.flatten(0, 1)[None], logits.flatten(0, 1)[None]
    rows = anchors.repeat(count, 1), sides.repeat(count)
    (left,) = truth.detect(*in_one, *rows, least, settings.iou_threshold, logits.numel())
    between = any(not torch.isin(one["scores"], left["scores"]).all() for one in right)
    return within and (between or count == 1)


def compare(
    student: Student, made: Made, settings: Settings, ordered: bool = False, **given: object
) -> None:
    """Compare detections."""
    names = ("activations", "logits", "anchors", "cells")
    arguments = dict(zip(names, made, strict=True)) | given
    answer = expect_detections(student.detect(**arguments), len(made[0]))
    compare_found(answer, truth.detect(*made, *settings), ordered)


@pytest.mark.weight(3)
def test_detect(student: Student, rng: torch.Generator) -> None:
    """Detections of a batch are right: boxes, labels, and the scores that belong to them."""
    for count, num_classes, settings in (
        (3, 4, Settings(0.2, 0.45, 200)),
        (1, 11, Settings(0.15, 0.3, 100)),
        (2, 2, Settings(0.3, 0.4, 50)),
    ):
        made = outputs(rng, count, num_classes, settings)
        compare(student, made, settings, True, **settings._asdict())
    expect_untouched(student, "detect", *made, *settings)
    names = ("activations", "logits", "anchors", "cells")
    expect_own_work(student, "detect", **dict(zip(names, made, strict=True)), **settings._asdict())


@pytest.mark.weight(2)
def test_every_class(student: Student, rng: torch.Generator) -> None:
    """An anchor may be found as several classes, and classes do not suppress each other."""
    settings = Settings(0.3, 0.4, 200)
    made = outputs(rng, 2, 4, settings, level=0.0)
    compare(student, made, settings, **settings._asdict())
    # The background's score, however large, changes nothing.
    made[1][..., 0] += 40
    compare(student, made, settings, **settings._asdict())


@pytest.mark.weight(2)
def test_top_k(student: Student, rng: torch.Generator) -> None:
    """Of all classes together the `top_k` best remain; the defaults are 0.25, 0.5 and 20."""
    for top_k in (1, 6):
        settings = Settings(0.1, 0.25, top_k)
        full = functools.partial(are_full, top_k=top_k)
        compare(student, outputs(rng, 2, 4, settings, suits=full), settings, **settings._asdict())
    full = functools.partial(are_full, top_k=DEFAULTS.top_k)
    compare(student, outputs(rng, 1, 6, DEFAULTS, level=0.0, suits=full), DEFAULTS)
    # Fewer than twenty are found, and another number with each threshold a little off.
    for _ in draws():
        made = outputs(rng, 1, 4, DEFAULTS, level=-3.2)
        others = (Settings(0.2, 0.5, 20), Settings(0.3, 0.5, 20), Settings(0.25, 0.45, 20))
        counts = [len(truth.detect(*made, *one)[0]["scores"]) for one in (DEFAULTS, *others)]
        if counts[0] < DEFAULTS.top_k and counts[0] not in counts[1:]:
            break
    compare(student, made, DEFAULTS)


@pytest.mark.weight(1)
def test_nothing_found(student: Student, rng: torch.Generator) -> None:
    """An image in which nothing is found has empty tensors of the right form."""
    settings = Settings(0.3, 0.45, 200)
    for _ in draws():
        made = outputs(rng, 3, 4, settings)
        made[1][1] -= 60
        if is_telling(made, settings):
            break
    compare(student, made, settings, **settings._asdict())
    made[1][:] -= 60
    compare(student, made, settings, **settings._asdict())
    # A score of just `min_score` does not exceed it.
    given = dict(zip(("activations", "logits", "anchors", "cells"), made, strict=True))
    given["logits"] = torch.zeros_like(made[1])
    found = expect_detections(student.detect(**given, min_score=0.5), 3)
    if any(len(one["scores"]) for one in found):
        fail("What has just the score `min_score` is found: a score must exceed it.")
    for name in ("boxes", "scores"):
        if found[0][name].dtype != torch.float32:
            fail(f"The {name} must be float32, but are {found[0][name].dtype}.")


@pytest.mark.weight(3)
def test_display(student: Student, rng: torch.Generator) -> None:
    """The figure shows the image, and each box in the colour of its own score."""
    names = ["red cell", "white cell", "platelet"]
    for shape in ((80, 120), (96, 64)):
        image = picture(rng, *shape)
        detections = some_detections(rng, 4)
        given = {"image": image, "detections": detections, "names": names}
        figure = student.show_detections(**given)
        check_figure(student, figure, image, detections, plasma)
    figure = student.show_detections(image=image, detections=reordered(detections), names=names)
    check_figure(student, figure, image, detections, plasma)
    expect_untouched(student, "show_detections", image, detections, names)
    nothing = {name: one[:0] for name, one in detections.items()}
    figure = student.show_detections(image=image, detections=nothing, names=names)
    check_figure(student, figure, image, nothing, plasma)


@pytest.mark.weight(2)
def test_captions(student: Student, rng: torch.Generator) -> None:
    """At each box stand the name of its class and its score to two decimals."""
    names = ["red cell", "white cell", "platelet"]
    # Boxes reach farther than a caption may lie from its corner.
    image, detections = picture(rng, 100, 120), some_detections(rng, 4)
    while not shows_rounding(detections["scores"]):
        detections = some_detections(rng, 4)
    figure = student.show_detections(image=image, detections=detections, names=names)
    check_captions(student, figure, detections, names, (120, 100))


def shows_rounding(scores: Tensor) -> bool:
    """Say whether a score is rounded up, and none is nearly a half between two hundredths."""
    rest = 100 * scores.double() % 1
    return bool((rest > 0.5).any() and ((rest - 0.5).abs() > 0.02).all())


def reordered(detections: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the same with its keys in another order, which means nothing."""
    return {name: detections[name] for name in ("scores", "labels", "boxes")}


def picture(rng: torch.Generator, height: int, width: int) -> Tensor:
    """Return an image in greens, which no score has."""
    coarse = uniform(rng, 0.3, 0.7, 1, 1, 4, 4)
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")[0, 0]
    return torch.stack([0.3 * smooth, smooth + 0.2, 0.5 * smooth])


def some_detections(rng: torch.Generator, count: int) -> dict[str, Tensor]:
    """Return detections that lie apart, and so do their scores' colours, not in their order."""
    scores = torch.tensor([0.05, 0.4, 0.7, 0.95][:count]) + uniform(rng, 0, 0.04, count)
    scores = scores[torch.randperm(count, generator=rng)]
    while len(set(scores.diff().sign().tolist())) == 1:
        scores = scores[torch.randperm(count, generator=rng)]
    corners = torch.tensor([[0.0, 0.0], [0.5, 0.0], [0.0, 0.5], [0.5, 0.5]])[:count]
    boxes = random_boxes(rng, count, 0.5, 0.8) * 0.4 + 0.05
    return {
        "boxes": boxes + torch.cat([corners, corners], 1)[torch.randperm(count, generator=rng)],
        "labels": torch.randint(1, 4, (count,), generator=rng),
        "scores": scores,
    }


def plasma(score: float) -> Sequence[float]:
    """Return the colour of a score."""
    from matplotlib import colormaps

    red, green, blue, _ = colormaps["plasma"](score)
    return red, green, blue
