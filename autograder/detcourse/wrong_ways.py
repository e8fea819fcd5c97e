"""What learners compute instead of right boxes, losses and detections, by words that name it.

Weeks 3 and 4 share it. Only checks' messages come from here: a wrong answer that equals one of
these is told what it is.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision import ops

from detcourse import truth

Ways = dict[str, Tensor]
Detection = dict[str, Tensor]
# More detections of an image than anybody means to return: not told apart any more.
MANY = 2_000


def ious(boxes_a: Tensor, boxes_b: Tensor) -> Ways:
    """Return what is taken for the IoU of boxes (n, 4) and (m, 4), `xyxy`: (n, m)."""
    a, b = boxes_a.double()[:, None], boxes_b.double()[None]
    first, last = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    shared = (last - first).clamp(min=0).prod(-1)
    area_a, area_b = ((one[..., 2:] - one[..., :2]).prod(-1) for one in (a, b))
    union = area_a + area_b - shared
    frame = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    wider = [one.clone() for one in (a, b)]
    for one in wider:
        one[..., 2:] += 1
    below = {
        "the larger of the two areas": torch.maximum(area_a, area_b),
        "the smaller of the two areas": torch.minimum(area_a, area_b),
        "the sum of both areas: the intersection is counted twice": area_a + area_b,
        "the sum of both areas and the intersection": area_a + area_b + shared,
        "the area of the first box": area_a.expand_as(shared),
        "the area of the second box": area_b.expand_as(shared),
        "the area of the box around both": frame.prod(-1),
    }
    ways = {
        f"It is the intersection divided by {words}.": shared / area.clamp(min=1e-12)
        for words, area in below.items()
    }
    product = (last - first).prod(-1)
    return ways | {
        "It is the intersection itself, not divided by the union.": shared,
        "It is twice the intersection divided by the sum of both areas.": (
            2 * shared / (area_a + area_b).clamp(min=1e-12)
        ),
        "Width and height of the intersection are not kept from being negative: where both are, "
        "their product is positive.": product / (area_a + area_b - product).clamp(min=1e-12),
        "It is as if boxes were a pixel wider and higher than they are.": truth.box_iou(
            wider[0][:, 0], wider[1][0]
        ),
        "It is the IoU of the boxes read as centre and size.": truth.box_iou(
            truth.cxcywh_to_xyxy(boxes_a.double()), truth.cxcywh_to_xyxy(boxes_b.double())
        ),
        "It is 1 minus the IoU.": 1 - shared / union.clamp(min=1e-12),
    }


def encoded(boxes: Tensor, priors: Tensor) -> Ways:
    """Return what is taken for the offsets of boxes from priors, both (n, 4) `cxcywh`."""
    boxes, priors = boxes.double(), priors.double()
    centre, size, at, side = boxes[:, :2], boxes[:, 2:], priors[:, :2], priors[:, 2:]
    shift, growth = (centre - at) / side / 0.1, (size / side).log() / 0.2

    def both(a: Tensor, b: Tensor) -> Tensor:
        return torch.cat([a, b], 1)

    corners = truth.cxcywh_to_xyxy(boxes)
    return {
        "They lack the divisions by 0.1 and 0.2.": both(0.1 * shift, 0.2 * growth),
        "They are multiplied by 0.1 and 0.2, not divided.": both(0.01 * shift, 0.04 * growth),
        "0.1 and 0.2 are exchanged.": both(shift / 2, growth * 2),
        "Shifts are counted from the box to the prior: the sign is wrong.": both(-shift, growth),
        "Shifts are divided by the box's size, not by the prior's.": both(
            (centre - at) / size / 0.1, growth
        ),
        "Shifts are not divided by the prior's size.": both((centre - at) / 0.1, growth),
        "Shifts are divided by the prior's centre, not by its size.": both(
            (centre - at) / at / 0.1, growth
        ),
        "Shifts are counted from the prior's corner, not from its centre.": both(
            (centre - at + side / 2) / side / 0.1, growth
        ),
        "Shifts are those of the upper left corners.": both(
            (centre - size / 2 - at + side / 2) / side / 0.1, growth
        ),
        "Both shifts are divided by the prior's width.": both(
            (centre - at) / side[:, :1] / 0.1, growth
        ),
        "Sizes lack the logarithm.": both(shift, size / side / 0.2),
        "Sizes have ratio minus 1 in the place of the logarithm.": both(
            shift, (size / side - 1) / 0.2
        ),
        "Sizes have the logarithm to the base 10, not the natural one.": both(
            shift, (size / side).log10() / 0.2
        ),
        "Sizes have the logarithm to the base 2, not the natural one.": both(
            shift, (size / side).log2() / 0.2
        ),
        "Sizes have the logarithm of 1 plus the ratio.": both(shift, (size / side).log1p() / 0.2),
        "Sizes have the logarithm of the inverse ratio.": both(shift, -growth),
        "Sizes have the difference, not the logarithm of the ratio.": both(
            shift, (size - side) / 0.2
        ),
        "It is the offsets of corners that are taken for centre and size.": truth.encode_offsets(
            corners, priors
        ),
    }


def decoded(offsets: Tensor, priors: Tensor) -> Ways:
    """Return what is taken for the boxes of offsets (n, 4), `cxcywh`, beside their priors."""
    offsets, priors = offsets.double(), priors.double()
    shift, growth, at, side = offsets[:, :2], offsets[:, 2:], priors[:, :2], priors[:, 2:]
    centre, size = at + 0.1 * shift * side, side * (0.2 * growth).exp()

    def both(a: Tensor, b: Tensor) -> Tensor:
        return torch.cat([a, b], 1)

    right = both(centre, size)
    return {
        "They lack the factors 0.1 and 0.2.": both(at + shift * side, side * growth.exp()),
        "They are divided by 0.1 and 0.2, not multiplied.": both(
            at + shift * side / 0.1, side * (growth / 0.2).exp()
        ),
        "0.1 and 0.2 are exchanged.": both(at + 0.2 * shift * side, side * (0.1 * growth).exp()),
        "The shift is multiplied by the prior's centre, not by its size.": both(
            at + 0.1 * shift * at, size
        ),
        "The shift is not multiplied by the prior's size.": both(at + 0.1 * shift, size),
        "The shift is multiplied by the new size, not by the prior's.": both(
            at + 0.1 * shift * size, size
        ),
        "The shift is taken away from the prior's centre.": both(at - 0.1 * shift * side, size),
        "The shift alone is there: the prior's centre is not added.": both(
            0.1 * shift * side, size
        ),
        "Both shifts are multiplied by the prior's width.": both(
            at + 0.1 * shift * side[:, :1], size
        ),
        "Sizes lack the exponential.": both(centre, side * 0.2 * growth),
        "Sizes have 1 plus the offset in the place of the exponential.": both(
            centre, side * (1 + 0.2 * growth)
        ),
        "Sizes add the exponential instead of multiplying by it.": both(
            centre, side + (0.2 * growth).exp()
        ),
        "Sizes lack the prior's size.": both(centre, (0.2 * growth).exp()),
        "Sizes have a power of 2, not the exponential.": both(centre, side * (0.2 * growth).exp2()),
        "They are corners; centre and size are asked for.": truth.cxcywh_to_xyxy(right),
        "They are centre and size; corners are asked for.": right,
        "They are cut to the range from 0 to 1.": right.clamp(0, 1),
        "They are cut to the image.": truth.cxcywh_to_xyxy(right).clamp(0, 1),
    }


def confidences(arguments: Sequence) -> Iterator[tuple[str, float]]:
    """Yield what is taken for the confidence term, in words and in value.

    Args:
        arguments: of `multibox_terms`, the outputs in float64.
    """
    _, logits, boxes, labels, priors = arguments
    matches = [truth.match_priors(b, n, priors)[0] for b, n in zip(boxes, labels, strict=True)]
    classes = torch.stack(matches)
    positive = classes > 0
    entropy = -logits.log_softmax(-1).gather(-1, classes[..., None])[..., 0]
    background, count = -logits.log_softmax(-1)[..., 0], int(positive.sum())
    of_positives, per_image = entropy[positive].sum(), positive.sum(1)
    negatives = [
        costs[~own].sort(descending=True).values
        for costs, own in zip(entropy, positive, strict=True)
    ]
    hard = {
        k: sum_of([one[: k * int(n)] for one, n in zip(negatives, per_image, strict=True)])
        for k in (1, 2, 3, 4, 5, 10)
    }
    easy = sum_of([one.flip(0)[: 3 * int(n)] for one, n in zip(negatives, per_image, strict=True)])
    all_of_batch = torch.cat(negatives).sort(descending=True).values
    sorted_all = entropy.sort(1, descending=True).values
    among = torch.zeros_like(positive)
    for row, costs, n in zip(among, entropy, per_image, strict=True):
        row[costs.argsort(descending=True)[: 3 * int(n)]] = True
    right = of_positives + hard[3]
    sums: dict[str, Tensor] = {
        "the hard negatives without the positives": hard[3],
        "the positives without any negative": of_positives,
        "the positives and all background priors: they must be mined": (
            of_positives + torch.cat(negatives).sum()
        ),
        "the positives and the easiest background priors": of_positives + easy,
        "the positives and the hardest background priors of the whole batch, not of each image": (
            of_positives + all_of_batch[: 3 * count].sum()
        ),
        "the positives and three hard negatives in each image, however many positives it has": (
            of_positives + sum_of([one[:3] for one in negatives])
        ),
        "the hardest priors of each image, positives among them, and the positives": (
            entropy[among | positive].sum()
        ),
        "the positives and the hardest priors, so that a positive among these counts twice": (
            of_positives + entropy[among].sum()
        ),
        "the hardest priors of each image, whether positive or not": entropy[among].sum(),
        "the positives, and the hardest priors as background, positives among them": (
            of_positives
            + sum_of(
                [
                    costs.sort(descending=True).values[: 3 * int(n)]
                    for costs, n in zip(background, per_image, strict=True)
                ]
            )
        ),
        "all priors": sorted_all.sum(),
    }
    for k in (1, 2, 4, 5, 10):
        sums[f"the positives and {k} hard negatives for each positive, not 3"] = (
            of_positives + hard[k]
        )
    sums["the positives and their 3·k hard negatives"] = right
    counted = {words: count_of(words, count, positive, negatives) for words in sums}
    objects = sum(map(len, boxes))
    usual, the_right = (
        "divided by the number of positives",
        "the positives and their 3·k hard negatives",
    )

    def ways(words: str) -> Iterator[tuple[str, float, str]]:
        divisors = {
            usual: count,
            "not divided by anything": 1,
            "divided by the number of objects, not of positive priors": objects,
            "divided by the number of images": len(logits),
            "divided by the number of all priors": positive.numel(),
            "divided by the number of priors of an image": positive.shape[1],
            "a mean over the priors that count": counted[words],
            "divided by the number of positives once too often": count * count,
            "divided by the positives and by the images": count * len(logits),
            "divided by four times the number of positives": 4 * count,
        }
        for how, divisor in divisors.items():
            yield (
                how,
                float(sums[words]) / max(divisor, 1),
                (f"It is the cross-entropy of {words}, {how}."),
            )

    # One mistake rather than two.
    every = [(words, *way) for words in sums for way in ways(words)]
    every.sort(key=lambda way: (way[0] != the_right) + (way[1] != usual))
    yield from ((text, value) for _, _, value, text in every)
    own = [
        (c[p].sum() + one[: 3 * int(p.sum())].sum()) / max(int(p.sum()), 1)
        for c, p, one in zip(entropy, positive, negatives, strict=True)
    ]
    yield (
        "Each image is divided by its own positives, and the images are averaged.",
        float(sum_of(own) / len(own)),
    )
    yield (
        "Each image is divided by its own positives, and the images are added up.",
        float(sum_of(own)),
    )
    soft = logits.softmax(-1)
    yield from (
        (f"{words.removesuffix('.')}, of probabilities instead of logits.", value)
        for words, value in of_right_kind([arguments[0], soft, *arguments[2:]])
    )


def of_right_kind(arguments: Sequence) -> Iterator[tuple[str, float]]:
    """Yield the right confidence of other outputs."""
    value = float(truth.multibox_terms(*arguments)["confidence"])
    yield "It is the cross-entropy that is asked for.", value


def sum_of(parts: Sequence[Tensor]) -> Tensor:
    """Return the sum of all numbers of some tensors."""
    return torch.cat([part.flatten() for part in parts]).sum()


def count_of(words: str, count: int, positive: Tensor, negatives: Sequence[Tensor]) -> int:
    """Return how many priors a sum of `confidences` is over, where that is plain."""
    if words.startswith("all"):
        return positive.numel()
    mined = sum(min(3 * int(n), len(o)) for n, o in zip(positive.sum(1), negatives, strict=True))
    if "without the positives" in words:
        return mined
    return count if "without any" in words else count + mined


def localizations(
    arguments: Sequence, distances: dict[str, Callable[[Tensor], Tensor]]
) -> Iterator[tuple[str, float]]:
    """Yield what is taken for the localization term, in words and in value.

    Args:
        arguments: of `multibox_terms`, the outputs in float64.
        distances: between offsets (n, 4): their sums over all positives, by what they are called.
    """
    offsets, _, boxes, labels, priors = arguments
    kinds: dict[str, tuple[list[Tensor], list[Tensor]]] = {}
    positives = 0
    ways: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "offsets": lambda b, p: truth.encode_offsets(truth.xyxy_to_cxcywh(b), p),
        "the boxes themselves, not encoded": lambda b, p: b,
        "centres and sizes, not encoded": lambda b, p: truth.xyxy_to_cxcywh(b),
        "offsets of corners taken for centre and size": truth.encode_offsets,
    }
    for n, (of_image, names) in enumerate(zip(boxes, labels, strict=True)):
        classes, objects = truth.match_priors(of_image, names, priors)
        chosen = classes > 0
        positives += int(chosen.sum())
        for name, way in ways.items():
            if bool(chosen.any()):
                target = way(of_image[objects[chosen]].double(), priors[chosen].double())
                mine, theirs = kinds.setdefault(name, ([], []))
                mine.append(offsets[n, chosen])
                theirs.append(target)
    measures = distances | {
        "squared distances, mean over the numbers": lambda d: d.square().sum() / 4,
        "squared distances, summed over the numbers": lambda d: d.square().sum(),
    }
    for (name, (mine, theirs)), (measure, distance) in itertools.product(
        kinds.items(), measures.items()
    ):
        total = float(distance(torch.cat(mine) - torch.cat(theirs)))
        divisors = {
            "divided by the number of positives": positives,
            "not divided by anything": 1,
            "divided by the number of images": len(offsets),
            "divided by the number of objects, not of positive priors": sum(map(len, boxes)),
            "divided by the number of all priors": offsets.shape[0] * offsets.shape[1],
            "divided by the number of priors of an image": offsets.shape[1],
        }
        for how, divisor in divisors.items():
            yield f"It is {measure}, between {name}, {how}.", total / max(divisor, 1)


def kept(boxes: Tensor, scores: Tensor, threshold: float) -> Iterator[tuple[str, list[int]]]:
    """Yield what is kept by wrong suppressions, in words and as sorted indices."""
    overlaps = truth.box_iou(boxes, boxes)
    order = scores.argsort(descending=True, stable=True).tolist()

    def greedy(order: list[int], drops: Callable[[int, list[int]], bool]) -> list[int]:
        left: list[int] = []
        for n in order:
            if not drops(n, left):
                left.append(n)
        return sorted(left)

    def over(n: int, other: int) -> bool:
        return float(overlaps[n, other]) > threshold

    yield "It keeps every box.", sorted(order)
    yield "It keeps nothing but the best box.", order[:1]
    yield (
        "It is the wrong way round: boxes go that overlap a kept one too little.",
        greedy(order, lambda n, left: any(not over(n, other) for other in left)),
    )
    yield (
        "It compares each box with the last kept one alone.",
        greedy(order, lambda n, left: bool(left) and over(n, left[-1])),
    )
    yield (
        "It compares each box with the best one alone.",
        greedy(order, lambda n, left: bool(left) and over(n, left[0])),
    )
    yield (
        "It begins with the lowest score.",
        greedy(order[::-1], lambda n, left: any(over(n, other) for other in left)),
    )
    yield (
        "It goes through the boxes as they come, whatever their scores.",
        greedy(sorted(order), lambda n, left: any(over(n, other) for other in left)),
    )
    places = {n: place for place, n in enumerate(order)}
    yield (
        "Boxes that were dropped themselves drop others.",
        sorted(n for n in order if not any(over(n, other) for other in order[: places[n]])),
    )
    for other_threshold in (0.5, 0.45, 0.3, 0.7):
        yield (
            f"It compares with {other_threshold:g}, whatever the threshold is.",
            sorted(truth.nms(boxes, scores, other_threshold).tolist()),
        )


def detections(
    made: tuple[Tensor, Tensor, Tensor], settings: Sequence, count: int
) -> Iterator[tuple[str, list[Detection]]]:
    """Yield wrong detections, in words and image by image, sorted by falling score.

    Args:
        made: offsets, logits and priors.
        settings: least score, threshold of the suppression, and the most detections.
        count: of an image's detections that are to be told from these; of more than one more
            nothing hangs.
    """
    offsets, logits, priors = made
    min_score, threshold, top_k = settings
    foreground = F.pad(logits[..., 1:].softmax(-1), (1, 0))
    scores = {
        "are sigmoids of the logits: take a softmax over the classes": logits.sigmoid(),
        "leave the background out of the softmax": foreground,
        "are the raw logits: take a softmax over the classes": logits,
        "are logarithms of probabilities": logits.log_softmax(-1),
        "are a softmax over the priors: take it over the classes": logits.softmax(1),
        "are a softmax taken twice": logits.softmax(-1).softmax(-1),
    }
    right = logits.softmax(-1)
    for words, other in scores.items():
        yield f"It is as if scores {words}.", find(offsets, other, priors, *settings)
    best = torch.zeros_like(right).scatter(-1, right.argmax(-1, keepdim=True), 1.0)
    yield (
        "Only the best class of each prior is looked at.",
        find(offsets, right * best, priors, *settings),
    )
    yield "Nothing is suppressed.", find(offsets, right, priors, min_score, 1.0, top_k)
    yield "`min_score` does not count.", find(offsets, right, priors, -1.0, threshold, top_k)
    if count < MANY:
        yield (
            "`top_k` does not count.",
            find(offsets, right, priors, min_score, threshold, count + 1),
        )
    yield (
        "The lowest scores are kept of more than `top_k`, not the highest.",
        find(offsets, right, priors, *settings, worst=True),
    )
    yield "The background is detected, too.", find(offsets, right, priors, *settings, first=0)
    yield "Classes suppress each other.", find(offsets, right, priors, *settings, apart=False)
    yield (
        "The labels are one too small.",
        [one | {"labels": one["labels"] - 1} for one in find(offsets, right, priors, *settings)],
    )
    yield (
        "The offsets of the first image are taken for all.",
        find(offsets[:1].expand_as(offsets), right, priors, *settings),
    )
    zero = torch.zeros_like(offsets)
    yield "The boxes are the priors: no offsets are applied.", find(zero, right, priors, *settings)
    yield (
        "The boxes are centres and sizes; corners are asked for.",
        [
            one | {"boxes": truth.xyxy_to_cxcywh(one["boxes"])}
            for one in find(offsets, right, priors, *settings)
        ],
    )


def find(
    offsets: Tensor,
    scores: Tensor,
    priors: Tensor,
    min_score: float,
    threshold: float,
    top_k: int,
    *,
    first: int = 1,
    apart: bool = True,
    worst: bool = False,
) -> list[Detection]:
    """Detect with given scores (N, P, C).

    Args:
        first: the first class that is detected.
        apart: whether each class is suppressed by itself.
        worst: whether the lowest scores are kept.
    """
    found = []
    for image_offsets, image_scores in zip(offsets, scores, strict=True):
        boxes = truth.cxcywh_to_xyxy(truth.decode_offsets(image_offsets, priors))
        rows, labels = (image_scores[:, first:] > min_score).nonzero(as_tuple=True)
        values = image_scores[rows, labels + first]
        # What lies far apart never overlaps.
        places = boxes[rows] + (1e3 * labels[:, None] if apart else 0)
        left = suppressed(places, values, threshold, len(values) if worst else top_k)
        left = left.flip(0)[:top_k].flip(0) if worst else left
        found.append(
            {
                "boxes": boxes[rows][left],
                "labels": labels[left] + first,
                "scores": values[left],
            }
        )
    return found


def suppressed(boxes: Tensor, scores: Tensor, threshold: float, most: int) -> Tensor:
    """Return the best `most` of the boxes that suppression keeps, as indices by falling score.

    Wrong scores can make every class of every prior a candidate, 175,000 of an image of SSD300.
    Whether a box stays hangs on better ones alone: so of many no more are looked at than is needed.
    """
    order = scores.argsort(descending=True, stable=True)
    size = 4 * most
    while True:
        best = order[:size]
        left = best[ops.nms(boxes[best].double(), scores[best].double(), threshold)]
        if len(left) >= most or size >= len(order):
            return left[:most]
        size *= 4


def same_detections(found: Sequence[Detection], other: Sequence[Detection]) -> bool:
    """Say whether detections, both by falling score, are the same."""
    for one, two in zip(found, other, strict=True):
        if one["scores"].shape != two["scores"].shape or one["boxes"].shape != two["boxes"].shape:
            return False
        if not torch.equal(one["labels"], two["labels"]):
            return False
        for name in ("scores", "boxes"):
            if not torch.allclose(one[name].double(), two[name].double(), rtol=1e-4, atol=1e-4):
                return False
    return True
