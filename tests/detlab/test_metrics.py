"""The metrics: by hand, against pycocotools, and against a plain loop of VOC's rule."""

import contextlib
import io

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor
from torchvision.ops import box_iou

from detlab.metrics import DetectionResult, label_accuracy, mean_average_precision, mean_iou

Image = dict[str, Tensor]
UNIT = [0.0, 0.0, 1.0, 1.0]
FAR = [5.0, 5.0, 6.0, 6.0]


def truth(*boxes: list[float], labels: list[int] | None = None, difficult=None) -> Image:
    image = {
        "boxes": torch.tensor(boxes).reshape(-1, 4),
        "labels": torch.tensor(labels or [1] * len(boxes), dtype=torch.int64),
    }
    return image if difficult is None else image | {"difficult": torch.tensor(difficult)}


def found(*boxes: list[float], scores: list[float], labels: list[int] | None = None) -> Image:
    return truth(*boxes, labels=labels) | {"scores": torch.tensor(scores)}


def random_images(count: int, seed: int, difficult: bool = False) -> tuple[list, list]:
    """Make truths, and detections that are often near them, sometimes twice, sometimes wrong."""
    rng = torch.Generator().manual_seed(seed)
    truths, detections = [], []
    for _ in range(count):
        n = int(torch.randint(0, 6, (), generator=rng))
        corner = torch.rand(n, 2, generator=rng)
        boxes = torch.cat([corner, corner + 0.1 + 0.3 * torch.rand(n, 2, generator=rng)], 1)
        labels = torch.randint(1, 5, (n,), generator=rng)
        image = {"boxes": boxes, "labels": labels}
        if difficult:
            image["difficult"] = torch.rand(n, generator=rng) < 0.3
        truths.append(image)
        again = torch.randint(max(n, 1), (2 * n,), generator=rng)
        noise = 0.05 * torch.randn(2 * n, 4, generator=rng)
        moved = boxes[again] + noise
        moved[:, 2:] = torch.maximum(moved[:, 2:], moved[:, :2] + 0.01)
        others = torch.randint(1, 5, (2 * n,), generator=rng)
        confused = torch.rand(2 * n, generator=rng) < 0.2
        detections.append(
            {
                "boxes": moved,
                "labels": torch.where(confused, others, labels[again]),
                "scores": torch.rand(2 * n, generator=rng),
            }
        )
    return detections, truths


def plain_average_precision(
    detections: list[Image], truths: list[Image], label: int, points: int | None
) -> float:
    """Follow VOC's rule one detection at a time."""
    rows = [
        (float(score), image, row)
        for image, one in enumerate(detections)
        for row, score in enumerate(one["scores"])
        if one["labels"][row] == label
    ]
    claimed, outcomes = set(), []
    for _, image, row in sorted(rows, key=lambda r: -r[0]):
        mine = (truths[image]["labels"] == label).nonzero().flatten()
        if len(mine) == 0:
            outcomes.append(False)
            continue
        box = detections[image]["boxes"][row : row + 1].double()
        ious = box_iou(box, truths[image]["boxes"][mine].double())[0]
        best = int(mine[ious.argmax()])
        if ious.max() <= 0.5:
            outcomes.append(False)
        elif not ("difficult" in truths[image] and truths[image]["difficult"][best]):
            outcomes.append((image, best) not in claimed)
            claimed.add((image, best))
    objects = sum(
        int(
            (
                (t["labels"] == label) & ~t.get("difficult", torch.zeros_like(t["labels"])).bool()
            ).sum()
        )
        for t in truths
    )
    hits = np.cumsum(outcomes)
    curve = [(hit / objects, hit / (n + 1)) for n, hit in enumerate(hits)]
    if points:
        # Whole numbers: a recall of 3/10 must reach the threshold 0.3.
        reached = [
            [p for (_, p), hit in zip(curve, hits, strict=True) if 10 * hit >= k * objects]
            for k in range(points)
        ]
        return sum(max(ps, default=0.0) for ps in reached) / points
    area, last = 0.0, 0.0
    for n, (recall, _) in enumerate(curve):
        area += (recall - last) * max(p for _, p in curve[n:])
        last = recall
    return area


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("interpolation", "points"), [("all-point", None), ("11-point", 11)])
def test_it_is_vocs_rule(seed: int, interpolation: str, points: int | None) -> None:
    detections, truths = random_images(60, seed, difficult=True)
    result = mean_average_precision(detections, truths, interpolation=interpolation)
    assert set(result.per_class) == {1, 2, 3, 4}
    for label, one in result.per_class.items():
        expected = plain_average_precision(detections, truths, label, points)
        # Sums of up to some hundred terms in another order.
        assert one.average_precision == pytest.approx(expected, abs=1e-12)
    values = [one.average_precision for one in result.per_class.values()]
    assert result.mean == pytest.approx(np.mean(values), abs=1e-12)


def coco_average_precision(detections: list[Image], truths: list[Image]) -> dict[int, float]:
    """Ask pycocotools for the AP of each class at IoU 0.5, by its own 101 recalls."""
    boxes = [
        {"image_id": n, "category_id": int(c), "bbox": [x, y, r - x, b - y]}
        for n, image in enumerate(truths)
        for (x, y, r, b), c in zip(image["boxes"].tolist(), image["labels"], strict=True)
    ]
    answers = [
        {"image_id": n, "category_id": int(c), "bbox": [x, y, r - x, b - y], "score": float(s)}
        for n, i in enumerate(detections)
        for (x, y, r, b), c, s in zip(i["boxes"].tolist(), i["labels"], i["scores"], strict=True)
    ]
    coco = COCO()
    coco.dataset = {
        "info": {},
        "images": [{"id": n} for n in range(len(truths))],
        "categories": [{"id": c} for c in range(1, 5)],
        "annotations": [
            one | {"id": n + 1, "iscrowd": 0, "area": one["bbox"][2] * one["bbox"][3]}
            for n, one in enumerate(boxes)
        ],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(answers), "bbox")
        evaluation.params.iouThrs = np.array([0.5])
        evaluation.params.areaRng = [[0, 1e10]]
        evaluation.params.areaRngLbl = ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][0, :, :, 0, -1]
    return {c: float(precision[:, n].mean()) for n, c in enumerate(evaluation.params.catIds)}


def test_curves_agree_with_pycocotools() -> None:
    """Objects lie apart, since COCO lets a detection take its second best object and VOC does not.

    COCO averages the interpolated precision at 101 recalls: so do we here, from our own curves.
    """
    detections, truths = random_images(80, 9)
    for image in (*truths, *detections):
        # Each class far from the others, each image's first object of a class kept.
        image["boxes"] = image["boxes"] + 10 * image["labels"][:, None]
    for one, image in zip(truths, detections, strict=True):
        labels = one["labels"].tolist()
        keep = [n for n, label in enumerate(labels) if label not in labels[:n]]
        one["boxes"], one["labels"] = one["boxes"][keep], one["labels"][keep]
        assert len(image["boxes"]) == len(image["scores"])
    result = mean_average_precision(detections, truths)
    expected = coco_average_precision(detections, truths)
    for label, one in result.per_class.items():
        highest = np.append(np.maximum.accumulate(one.precision[::-1])[::-1], 0.0)
        places = np.searchsorted(one.recall, np.linspace(0, 1, 101), side="left")
        assert highest[places].mean() == pytest.approx(expected[label], abs=1e-9)


def test_perfect_detections_score_one_and_exchanged_classes_zero() -> None:
    _, truths = random_images(30, 5)
    perfect = [t | {"scores": torch.rand(len(t["labels"]))} for t in truths]
    assert mean_average_precision(perfect, truths).mean == 1.0
    swapped = [p | {"labels": p["labels"] % 4 + 1} for p in perfect]
    apart = [
        t | {"boxes": t["boxes"] + 10 * torch.arange(len(t["boxes"]))[:, None]} for t in truths
    ]
    for one, image in zip(swapped, apart, strict=True):
        one["boxes"] = image["boxes"]
    assert mean_average_precision(swapped, apart).mean == 0.0


def test_a_second_hit_is_a_false_positive() -> None:
    result = mean_average_precision(
        [found(UNIT, UNIT, FAR, scores=[0.9, 0.8, 0.7])], [truth(UNIT, FAR)]
    )
    # Hit, miss, hit: the second object is found at precision 2/3.
    assert result.mean == pytest.approx((1 + 2 / 3) / 2)


def test_a_detection_goes_to_its_best_object_even_if_that_is_taken() -> None:
    near = [0.0, 0.0, 1.0, 0.8]
    result = mean_average_precision([found(UNIT, UNIT, scores=[0.9, 0.8])], [truth(UNIT, near)])
    assert result.mean == pytest.approx(0.5)


def test_difficult_objects_are_neither_hit_nor_missed() -> None:
    images = [found(FAR, FAR, UNIT, scores=[0.9, 0.8, 0.7])]
    result = mean_average_precision(images, [truth(UNIT, FAR, difficult=[False, True])])
    one = result.per_class[1]
    assert (result.mean, one.objects, one.detections) == (1.0, 1, 1)
    only = mean_average_precision(images, [truth(FAR, difficult=[True])])
    assert only.per_class == {}
    assert np.isnan(only.mean)


def test_an_overlap_of_exactly_the_threshold_is_none() -> None:
    half = [0.0, 0.0, 1.0, 0.5]
    assert mean_average_precision([found(half, scores=[1.0])], [truth(UNIT)]).mean == 0.0


def test_eleven_points_stay_below_one_unless_all_are_found() -> None:
    truths = [truth(UNIT)] * 20
    some = [found(UNIT, scores=[0.5])] * 19 + [found(scores=[])]
    eleven = mean_average_precision(some, truths, interpolation="11-point")
    assert eleven.mean == pytest.approx(10 / 11)
    assert mean_average_precision(some, truths).mean == pytest.approx(0.95)
    all_found = [found(UNIT, scores=[0.5])] * 20
    assert mean_average_precision(all_found, truths, interpolation="11-point").mean == 1.0


@pytest.mark.parametrize("tenths", range(11))
def test_recalls_of_whole_tenths_reach_their_threshold(tenths: int) -> None:
    images = [found(UNIT, scores=[0.5])] * tenths + [found(scores=[])] * (10 - tenths)
    result = mean_average_precision(images, [truth(UNIT)] * 10, interpolation="11-point")
    assert result.mean == pytest.approx((tenths + 1) / 11 if tenths else 0.0)


def test_equal_scores_keep_their_order() -> None:
    right, wrong = found(UNIT, scores=[0.5]), found(FAR, scores=[0.5])
    truths = [truth(UNIT), truth()]
    assert mean_average_precision([right, wrong], truths).mean == 1.0
    assert mean_average_precision([wrong, right], truths[::-1]).mean == 0.5


def test_nothing_found_scores_zero_and_nothing_there_is_skipped() -> None:
    assert mean_average_precision([found(scores=[])], [truth(UNIT)]).mean == 0.0
    result = mean_average_precision([found(UNIT, scores=[1.0], labels=[2])], [truth(UNIT)])
    assert list(result.per_class) == [1]
    assert np.isnan(mean_average_precision([], []).mean)


def test_boxes_that_are_no_boxes_hit_nothing() -> None:
    nan, reversed_box = [float("nan")] * 4, [1.0, 1.0, 0.0, 0.0]
    huge = [-1e30, -1e30, 1e30, 1e30]
    images = [found(nan, reversed_box, huge, scores=[0.9, 0.8, 0.7])]
    assert mean_average_precision(images, [truth(UNIT)]).mean == 0.0


SHIFTS = [-1, -2, -5, -(2**31) + 1, 2**31 - 5, 70_000]  # of labels 1 to 4


@pytest.mark.parametrize("shift", SHIFTS)
def test_labels_are_names_only(shift: int) -> None:
    """Whatever numbers classes have, negative ones too, each image keeps to itself."""
    detections, truths = random_images(40, 3, difficult=True)
    expected = mean_average_precision(detections, truths)
    for image in (*detections, *truths):
        image["labels"] = image["labels"] + shift
    result = mean_average_precision(detections, truths)
    assert list(result.per_class) == [label + shift for label in expected.per_class]
    assert table_without_names(result) == table_without_names(expected)


def table_without_names(result: DetectionResult) -> list[list[str]]:
    return [line.split()[1:] for line in result.table().splitlines()]


def test_the_best_of_another_image_is_of_no_concern() -> None:
    """Labels of -1 once reached into the image before."""
    images = [found(UNIT, scores=[0.9], labels=[-1]), found(FAR, scores=[0.8], labels=[-1])]
    truths = [truth(FAR, labels=[-1]), truth(UNIT, labels=[-1])]
    assert mean_average_precision(images, truths).mean == 0.0
    assert mean_average_precision(images, truths[::-1]).mean == 1.0


@pytest.mark.parametrize("dtype", [torch.int32, torch.uint8, torch.float32, torch.bfloat16])
def test_labels_of_another_type_are_the_same_labels(dtype: torch.dtype) -> None:
    detections, truths = random_images(30, 4)
    expected = mean_average_precision(detections, truths)
    for image in (*detections, *truths):
        image["labels"] = image["labels"].to(dtype)
    result = mean_average_precision(detections, truths)
    assert all(type(label) is int for label in result.per_class)
    assert result.table() == expected.table()


def test_an_image_with_nothing_in_floats_rounds_no_other_images_labels() -> None:
    near, next_to_it = 2**24, 2**24 + 1  # the same number in float32
    nothing = {"boxes": torch.zeros(0), "labels": torch.tensor([])}
    images = [found(UNIT, scores=[0.9], labels=[next_to_it]), nothing | {"scores": torch.zeros(0)}]
    result = mean_average_precision(images, [truth(UNIT, labels=[near]), nothing])
    assert list(result.per_class) == [near]
    assert result.mean == 0.0
    no_images = mean_average_precision([images[1]] * 2, [nothing] * 2)
    assert no_images.per_class == {}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_floats_are_measured_as_they_are(dtype: torch.dtype) -> None:
    """What was rounded is measured like the same numbers in float32."""
    detections, truths = random_images(40, 6)
    for image in (*detections, *truths):
        for key in image.keys() - {"labels"}:
            image[key] = image[key].to(dtype).requires_grad_()
    result = mean_average_precision(detections, truths)
    plain = [
        [{key: values.detach().float() for key, values in image.items()} for image in images]
        for images in (detections, truths)
    ]
    assert result.table() == mean_average_precision(*plain).table()
    assert result.mean > 0.1


def test_boxes_of_whole_pixels_are_boxes() -> None:
    detections, truths = [found(UNIT, scores=[1])], [truth(UNIT)]
    for image in (*detections, *truths):
        image["boxes"] = (10 * image["boxes"]).long()
    assert mean_average_precision(detections, truths).mean == 1.0


NAN, INFINITY = float("nan"), float("inf")
WRONG_DETECTIONS = {
    "no scores": ({"scores": None}, 'there is no "scores"'),
    "a list": ({"labels": [1, 1]}, "the labels are of type list, not a tensor"),
    "missing": ({"scores": torch.ones(1)}, r"the scores have shape \(1,\), not \(2,\)"),
    "columns": ({"scores": torch.ones(2, 1)}, r"the scores have shape \(2, 1\), not \(2,\)"),
    "a number": ({"labels": torch.tensor(1)}, r"the labels have shape \(\), not \(2,\)"),
    "no columns": (
        {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, 3), "scores": torch.zeros(0)},
        r"the labels have shape \(0, 3\), not \(0,\)",
    ),
    "labels short": ({"labels": torch.ones(1).long()}, r"the labels have shape \(1,\)"),
    "one box": ({"boxes": torch.ones(4)}, r"the boxes have shape \(4,\), not \(n, 4\)"),
    "flat boxes": ({"boxes": torch.ones(8)}, r"the boxes have shape \(8,\), not \(n, 4\)"),
    "five sides": ({"boxes": torch.ones(2, 5)}, r"the boxes have shape \(2, 5\)"),
    "no dimension": ({"boxes": torch.tensor(1.0)}, r"the boxes have shape \(\)"),
    "mask": ({"labels": torch.tensor([True, False])}, r"the labels are torch\.bool"),
    "complex": ({"scores": torch.ones(2) * 1j}, r"the scores are torch\.complex64"),
    "half": ({"labels": torch.tensor([1.0, 1.5])}, "the label 1.5 is not a whole number"),
    "no label": ({"labels": torch.tensor([1.0, NAN])}, "the label nan is not a whole number"),
    "endless": ({"labels": torch.tensor([1.0, INFINITY])}, "the label inf is not a whole"),
    "large": ({"labels": torch.tensor([1, 2**31])}, "the label 2147483648 is too large"),
    "low": ({"labels": torch.tensor([1, -(2**63)])}, "the label -9223372036854775808 is too"),
    "NaN": ({"scores": torch.tensor([0.5, NAN])}, "a score is not finite"),
    "infinity": ({"scores": torch.tensor([-INFINITY, 1]).bfloat16()}, "a score is not finite"),
}
WRONG_TRUTHS = {
    "no boxes": ({"boxes": None, "difficult": None}, 'there is no "boxes"'),
    "no dimension": ({"labels": torch.tensor(1), "difficult": None}, "the labels have shape"),
    "reversed": ({"boxes": torch.tensor([UNIT, [1.0, 0, 0, 1]])}, r"the box \[1.0, .* reversed"),
    "with scores": (
        {"boxes": torch.tensor([[1.0, 0, 0, 1], UNIT]), "scores": torch.ones(2)},
        r"the box \[1.0, .* reversed",
    ),
    "NaN": ({"boxes": torch.tensor([UNIT, [NAN] * 4])}, r"the box \[nan, .* not finite"),
    "infinity": ({"boxes": torch.tensor([UNIT, [0, 0, 1, INFINITY]])}, "the box .* not finite"),
    "flag": ({"difficult": torch.tensor(True)}, r"the difficult have shape \(\), not \(2,\)"),
    "flags": ({"difficult": torch.ones(3).bool()}, r"the difficult have shape \(3,\)"),
    "columns": ({"difficult": torch.ones(2, 1)}, r"the difficult have shape \(2, 1\)"),
    "half": ({"labels": torch.tensor([1.0, 1.5])}, "the label 1.5 is not a whole number"),
}


@pytest.mark.parametrize(
    ("what", "change", "words"),
    [
        pytest.param(what, *case, id=f"{what}: {name}")
        for what, cases in (("detections", WRONG_DETECTIONS), ("truths", WRONG_TRUTHS))
        for name, case in cases.items()
    ],
)
@pytest.mark.parametrize("company", ["alone", "among others"])
def test_what_cannot_be_measured_is_refused_by_name(
    what: str, change: dict, words: str, company: str
) -> None:
    """Alone, its shapes may agree with one another; among others they may differ from theirs."""
    images = {
        "detections": found(UNIT, FAR, scores=[0.5, 0.6]),
        "truths": truth(UNIT, FAR, difficult=[False, False]),
    }
    changed = {**images, what: images[what] | change}
    changed[what] = {key: one for key, one in changed[what].items() if one is not None}
    place = 0 if company == "alone" else 2
    lists = {key: [images[key]] * place + [one] for key, one in changed.items()}
    with pytest.raises(ValueError, match=f"{what} of image {place}: {words}"):
        mean_average_precision(**lists)


def test_shapes_that_make_up_for_each_other_are_refused() -> None:
    """Three flags and one flag are as many as two and two, but not those of the same images."""
    image = found(UNIT, FAR, scores=[0.5, 0.6])
    three, one = (truth(UNIT, FAR, difficult=[True] * n) for n in (3, 1))
    with pytest.raises(ValueError, match=r"truths of image 0: the difficult have shape \(3,\)"):
        mean_average_precision([image] * 2, [three, one])
    longer, shorter = (image | {"scores": torch.rand(n)} for n in (3, 1))
    with pytest.raises(ValueError, match=r"detections of image 0: the scores have shape \(3,\)"):
        mean_average_precision([longer, shorter], [truth(UNIT)] * 2)


def test_lists_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="0 images of detections, but 1 of truths"):
        mean_average_precision([], [truth(UNIT)])


def test_flags_may_be_missing_where_nothing_is_difficult() -> None:
    images = [found(UNIT, FAR, scores=[0.9, 0.8])] * 2
    result = mean_average_precision(
        images, [truth(UNIT, FAR), truth(UNIT, FAR, difficult=[True, False])]
    )
    assert (result.mean, result.per_class[1].objects) == (1.0, 3)


def test_pairs_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(\) do not pair"):
        label_accuracy(torch.tensor(1), torch.tensor(1))
    for shape in ((4,), (2, 3), (2, 5), (2, 2, 4)):  # three columns once measured something
        with pytest.raises(ValueError, match=r"not \(N, 4\)"):
            mean_iou(torch.ones(shape), torch.ones(shape))
    halves = torch.tensor([UNIT, FAR]).bfloat16()
    assert mean_iou(halves, halves) == 1.0


def test_the_table_names_each_class() -> None:
    result = mean_average_precision([found(UNIT, scores=[1.0])], [truth(UNIT, FAR)])
    head, row, mean = result.table({1: "platelets"}).splitlines()
    assert head.split() == ["class", "AP", "objects", "detections", "recall"]
    assert row.split() == ["platelets", "0.500", "2", "1", "0.500"]
    assert mean.split() == ["mean", "0.500"]
