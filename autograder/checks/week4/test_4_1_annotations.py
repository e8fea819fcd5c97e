"""Task 4.1: annotations in Pascal VOC's format."""

import pytest
import torch

from detcourse.week4.annotations import NAMES, ORDER, Thing, random_thing, target_of, written
from detlab.checking.expect import fail
from detlab.checking.own_work import expect_untouched
from detlab.checking.student import Student
from detlab.weeks.week4.assertions import (
    FORBIDDEN,
    check_label_map,
    check_target,
    expect_own_work,
    expect_refusal,
    expect_target,
)

pytestmark = [pytest.mark.task("4.1", points=6), pytest.mark.forbid(*FORBIDDEN)]


def shuffled(rng: torch.Generator, items: tuple[str, ...]) -> tuple[str, ...]:
    """Return items in another order."""
    return tuple(items[n] for n in torch.randperm(len(items), generator=rng).tolist())


def compare(student: Student, rng: torch.Generator, things: list[Thing]) -> None:
    """Compare the objects of a file."""
    names = shuffled(rng, NAMES)
    label_map = {"background": 0} | {name: n for n, name in enumerate(names, 1)}
    xml = written(things)
    answer = student.parse_annotation(xml=xml, label_map=label_map)
    check_target(answer, target_of(things, label_map), "`parse_annotation`'s result")


def some(rng: torch.Generator, count: int, **options: object) -> list[Thing]:
    """Return random objects."""
    return [random_thing(rng, NAMES, **options) for _ in range(count)]


@pytest.mark.weight(1)
def test_label_map(student: Student, rng: torch.Generator) -> None:
    """The label map."""
    for names in (NAMES, shuffled(rng, NAMES), ("one",), list(NAMES)):
        check_label_map(student.make_label_map(names=names), names)
    expect_untouched(student, "make_label_map", list(NAMES))


@pytest.mark.weight(3)
def test_objects(student: Student, rng: torch.Generator) -> None:
    """Boxes, labels and difficulties, object by object."""
    for count in (1, 4, 12):
        compare(student, rng, some(rng, count))
    compare(student, rng, [Thing("dog", ["1", "1", "640", "480"])])  # all of the image
    label_map = {"background": 0} | {name: n for n, name in enumerate(NAMES, 1)}
    given = {"xml": written(some(rng, 3)), "label_map": label_map}
    expect_own_work(student, "parse_annotation", **given)
    expect_untouched(student, "parse_annotation", *given.values())
    # One thing may be numbered otherwise: the map alone decides.
    sparse = {name: 7 * n + 2 for name, n in label_map.items()}
    things = some(rng, 3)
    answer = student.parse_annotation(xml=written(things), label_map=sparse)
    check_target(answer, target_of(things, sparse), "`parse_annotation`'s result")


@pytest.mark.weight(2)
def test_parts(student: Student, rng: torch.Generator) -> None:
    """What is read of objects that have parts."""
    parts = [("head", ["5", "6", "7", "9"]), ("hand", ["8", "8", "9", "9"])]
    for last in (False, True):
        things = some(rng, 3, parts=parts, parts_last=last)
        compare(student, rng, [*some(rng, 1), *things])


@pytest.mark.weight(1)
def test_forms(student: Student, rng: torch.Generator) -> None:
    """Corners in any order, with decimals and blanks, and a missing `difficult`."""
    for _ in range(3):
        compare(student, rng, some(rng, 2, order=shuffled(rng, ORDER)))
    compare(student, rng, some(rng, 3, difficult=None))
    compare(student, rng, some(rng, 3, blanks="\n  "))
    decimals = some(rng, 3)
    for thing in decimals:
        thing.corners = [f"{corner}.{n + 1}5" for n, corner in enumerate(thing.corners)]
    compare(student, rng, decimals)


@pytest.mark.weight(1)
def test_no_object(student: Student, rng: torch.Generator) -> None:
    """What is read of an image without objects."""
    compare(student, rng, [])


@pytest.mark.weight(1)
def test_no_area(student: Student, rng: torch.Generator) -> None:
    """What is read of an object whose box has no area, or is as small as a pixel."""
    things = some(rng, 6)
    things[4].corners = ["90", "80", "40", "30"]  # neither side is positive
    # The last pixel is the one before the first: there is none between the edges.
    things[1].corners = ["5", "9", "4", "30"]
    things[3].corners = ["50", "90", "80", "89"]
    label_map = {"background": 0} | {name: n for n, name in enumerate(NAMES, 1)}
    answer = student.parse_annotation(xml=written(things), label_map=label_map)
    right = [thing for n, thing in enumerate(things) if n not in (1, 3, 4)]
    if len(expect_target(answer, "`parse_annotation`'s result")["labels"]) == len(things):
        fail("An object whose box has no width or no height must be left out.")
    check_target(answer, target_of(right, label_map), "`parse_annotation`'s result")
    for corners in (
        ["10", "20", "10", "60"],
        ["10", "20", "60", "20"],
        ["10", "20", "10.5", "60"],
        ["7", "7", "7", "7"],
    ):
        thin = [Thing("dog", corners)]
        answer = student.parse_annotation(xml=written(thin), label_map=label_map)
        what = "`parse_annotation`'s result for a box as thin as a pixel"
        check_target(answer, target_of(thin, label_map), what)
    things = [Thing("dog", ["7", "7", "6", "6"])]
    answer = student.parse_annotation(xml=written(things), label_map=label_map)
    check_target(answer, target_of([], label_map), "`parse_annotation`'s result")


@pytest.mark.weight(1)
def test_unknown_name(student: Student, rng: torch.Generator) -> None:
    """What happens at a name that is not in the map."""
    things = [*some(rng, 2), Thing("unicorn", ["1", "1", "50", "60"]), *some(rng, 1)]
    label_map = {"background": 0} | {name: n for n, name in enumerate(NAMES, 1)}
    arguments = {"xml": written(things), "label_map": label_map}
    expect_refusal(student, "parse_annotation", "ValueError", ["unicorn"], **arguments)
