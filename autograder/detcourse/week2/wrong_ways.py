"""What learners compute instead of the right answers of week 2, by words that name it.

A wrong answer that equals one of these is told what it is. Cases of 2.4 and 2.7 are drawn until
each of theirs shows: one that never can would be no mistake.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from detlab.grid import WindowGrid
from detlab.weeks.week2.assertions import SIDE

Ways = dict[str, Tensor]


def boxes_of_ink(box: Tensor, height: int, width: int) -> Ways:
    """Return what is taken for the box (4,), `xyxy` in fractions, of an image of this size."""
    sides = torch.tensor([width, height, width, height])
    x_min, y_min, x_max, y_max = pixels = (box.double() * sides).round()
    size = torch.stack([x_max - x_min, y_max - y_min])
    return {
        "It is (y_min, x_min, y_max, x_max): x comes first.": box[[1, 0, 3, 2]],
        "It is in pixels: divide by the image's sides.": pixels,
        "It holds the width and the height instead of x_max and y_max.": torch.cat(
            [pixels[:2], size]
        )
        / sides,
        "It holds the centre, the width and the height.": torch.cat([pixels[:2] + size / 2, size])
        / sides,
        "x_max and y_max are a pixel short: the far edge of the last pixel counts.": (
            pixels - torch.tensor([0, 0, 1, 1])
        )
        / sides,
        "x_max is a pixel short: the far edge of the last pixel counts.": (
            pixels - torch.tensor([0, 0, 1, 0])
        )
        / sides,
        "y_max is a pixel short: the far edge of the last pixel counts.": (
            pixels - torch.tensor([0, 0, 0, 1])
        )
        / sides,
        "It goes from the first pixel's centre to the last one's: their outer edges count.": (
            pixels + torch.tensor([0.5, 0.5, -0.5, -0.5])
        )
        / sides,
        "x is divided by the height and y by the width.": pixels / sides[[1, 0, 3, 2]],
        "y is divided by the width, too.": pixels / width,
        "x is divided by the height, too.": pixels / height,
        "It is divided by 64, whatever the image's sides are.": pixels / SIDE,
        "It is divided by the sides less one.": pixels / (sides - 1),
        "It is the box of no ink.": torch.zeros(4),
        "It is the whole image.": torch.tensor([0.0, 0, 1, 1]),
    }


def side_of(answer: Tensor, box: Tensor) -> str:
    """Say whether a box leaves ink out, or takes in what is none."""
    inside = torch.cat([answer[:2] - box[:2], box[2:] - answer[2:]])
    if bool((inside > -1e-6).all()):
        return "It leaves some of the ink out: every pixel greater than 0 is ink."
    return "It is larger than the ink." if bool((inside < 1e-6).all()) else ""


def boxes_in_windows(boxes: Tensor, grid: WindowGrid) -> Ways:
    """Return what is taken for boxes in the frame of each window: (N, 4, rows, columns)."""
    corner = corners_of_windows(grid)
    pixels = SIDE * boxes[:, :, None, None].double()
    inside = (pixels - corner) / grid.size
    first, size = inside[:, :2], inside[:, 2:] - inside[:, :2]
    whole = pixels.expand(-1, -1, *grid.count)
    return {
        "They are (y_min, x_min, y_max, x_max): x comes first.": inside[:, [1, 0, 3, 2]],
        "They hold the width and the height instead of x_max and y_max.": torch.cat(
            [first, size], 1
        ),
        "They hold the centre, the width and the height.": torch.cat([first + size / 2, size], 1),
        "They are in pixels from the window's corner: divide by its size.": pixels - corner,
        "They are fractions of the image, not of the window.": whole / SIDE,
        "They are pixels of the image.": whole,
        "They are counted from the image's corner, not from the window's.": whole / grid.size,
        "They are divided by the stride instead of the window's size.": (pixels - corner)
        / grid.stride,
        "They are divided by the image's side instead of the window's size.": (pixels - corner)
        / SIDE,
        "They are counted from the window's centre, not from its corner.": inside - 0.5,
        "They are cut to the window: what sticks out must stay.": inside.clamp(0, 1),
        "Rows and columns of the grid are exchanged.": (pixels - corner[[1, 0, 3, 2]]) / grid.size,
    }


def windows_seen(boxes: Tensor, grid: WindowGrid) -> Ways:
    """Return which windows are taken to see the boxes: (N, rows, columns) float."""
    return windows_chosen(boxes, grid) | windows_by_edges(boxes, grid)


def windows_chosen(boxes: Tensor, grid: WindowGrid) -> Ways:
    """Return which windows are taken to see the boxes, wherever their centres lie."""
    corner = corners_of_windows(grid)
    pixels = SIDE * boxes[:, :, None, None].double()
    first, size = pixels[:, :2], pixels[:, 2:] - pixels[:, :2]
    inside, middle = (pixels - corner) / grid.size, first + size / 2
    x, y = within(middle, corner[:2], grid.size).unbind(1)
    ways = {
        "It holds where x or y of the centre lies in the window: both must.": x | y,
        "It holds where x of the centre lies in the window, whatever y does.": x,
        "It holds where y of the centre lies in the window, whatever x does.": y,
        "It holds where the box and the window share some area: ask for the box's centre.": (
            (inside[:, :2] < 1) & (inside[:, 2:] > 0)
        ).all(1),
        "It holds only where the whole box lies in the window.": (
            (inside >= 0) & (inside <= 1)
        ).all(1),
        "It holds where the window's centre lies in the box: ask it the other way round.": (
            (inside[:, :2] <= 0.5) & (inside[:, 2:] > 0.5)
        ).all(1),
        "It goes by the box's top-left corner, not by its centre.": within(
            first, corner[:2], grid.size
        ).all(1),
        "It goes by the box's bottom-right corner, not by its centre.": within(
            pixels[:, 2:], corner[:2], grid.size
        ).all(1),
        "It goes by the centre in whole pixels: do not round it.": within(
            middle.round(), corner[:2], grid.size
        ).all(1),
        "It is as if windows were no larger than the stride.": within(
            middle, corner[:2], grid.stride
        ).all(1),
        "It goes by the centre's y for columns and by its x for rows.": within(
            middle[:, [1, 0]], corner[:2], grid.size
        ).all(1),
        "It is as if windows began at their centres.": within(
            middle, corner[:2] + grid.size / 2, grid.size
        ).all(1),
        "It holds in every window.": torch.ones_like(x),
        "It holds nowhere.": torch.zeros_like(x),
        "It is the wrong way round: it holds where nothing is seen.": ~(x & y),
    }
    return {words: seen.float() for words, seen in ways.items()}


def windows_by_edges(boxes: Tensor, grid: WindowGrid) -> Ways:
    """Return which windows are taken to see the boxes where a centre on an edge matters."""
    corner = corners_of_windows(grid)[:2]
    middle = SIDE * (boxes[:, :2] + boxes[:, 2:]).double()[:, :, None, None] / 2
    ways = {
        "A centre on the right or the lower edge of a window counts, too: it must not.": (
            (middle >= corner) & (middle <= corner + grid.size)
        ).all(1),
        "A centre on the left or the upper edge of a window does not count: it must.": (
            (middle > corner) & (middle < corner + grid.size)
        ).all(1),
        "The edges are the wrong way round: the left and the upper one count.": (
            (middle > corner) & (middle <= corner + grid.size)
        ).all(1),
    }
    return {words: seen.float() for words, seen in ways.items()}


def choice_shows(boxes: Tensor, grid: WindowGrid) -> bool:
    """Say whether each of `windows_chosen` differs somewhere from the right choice."""
    middle = SIDE * (boxes[:, :2] + boxes[:, 2:]).double()[:, :, None, None] / 2
    right = within(middle, corners_of_windows(grid)[:2], grid.size).all(1).float()
    return not any(torch.equal(way, right) for way in windows_chosen(boxes, grid).values())


def within(points: Tensor, corner: Tensor, side: float) -> Tensor:
    """Say in which windows points lie, x and y apart; the left and the upper edge count."""
    return (points >= corner) & (points < corner + side)


def corners_of_windows(grid: WindowGrid) -> Tensor:
    """Return x, y, x, y of each window's top-left corner: (4, rows, columns), pixels."""
    rows, columns = grid.count
    tops = (torch.arange(rows) * float(grid.stride))[:, None].expand(rows, columns)
    lefts = (torch.arange(columns) * float(grid.stride)).expand(rows, columns)
    return torch.stack([lefts, tops, lefts, tops])


def terms(outputs: Tensor, targets: Tensor, name: str) -> Iterator[tuple[str, Tensor]]:
    """Yield what is taken for a term of the loss, and the words for it."""
    logits, seen = outputs[:, 0], targets[:, 0] == 1
    found, images = logits > 0, len(outputs)
    if name == "detection":
        entropy = F.binary_cross_entropy_with_logits(logits, targets[:, 0], reduction="none")
        ways: dict[str, Tensor] = {
            "the squared error of the probability": (logits.sigmoid() - targets[:, 0]).square(),
            "the binary cross-entropy": entropy,
            "the binary cross-entropy of probabilities that a sigmoid was taken of twice": (
                F.binary_cross_entropy_with_logits(
                    logits.sigmoid(), targets[:, 0], reduction="none"
                )
            ),
        }
    elif name == "classification":
        classes, labels = outputs[:, 1:11], targets[:, 1].long()
        ways = {
            "the cross-entropy": F.cross_entropy(classes, labels, reduction="none"),
            "the cross-entropy of probabilities instead of logits": F.cross_entropy(
                classes.softmax(1), labels, reduction="none"
            ),
            "the cross-entropy of channels 0 to 9": F.cross_entropy(
                outputs[:, :10], labels, reduction="none"
            ),
        }
    else:
        off = outputs[:, 11:] - targets[:, 2:]
        smooth = F.smooth_l1_loss(off, torch.zeros_like(off), reduction="none")
        ways = {
            "the mean of the four squared errors": off.square().mean(1),
            "the sum of the four squared errors, not their mean": off.square().sum(1),
            "the mean of the four absolute errors": off.abs().mean(1),
            "the sum of the four absolute errors": off.abs().sum(1),
            "the mean of the four errors by smooth L1": smooth.mean(1),
            "the sum of the four errors by smooth L1": smooth.sum(1),
            "the root of the four errors' mean square": off.square().mean(1).sqrt(),
        }
    where = {
        "found windows with a digit": found & seen,
        "all windows with a digit, found or not": seen,
        "windows with a digit that are not found": seen & ~found,
        "all windows where something is found, digit or not": found,
        "windows without a digit": ~seen,
        "all windows": torch.ones_like(seen),
    }
    for way, each in ways.items():
        for windows, mask in where.items():
            total, count = (each * mask).sum(), int(mask.sum())
            if not count:
                continue  # 0, whatever is added up
            yield f"It is {way}, added up over {windows}.", total
            yield f"It is the mean, over {windows}, of {way}.", total / count
            yield f"It is {way}, added up over {windows}, for each image.", total / images
            yield f"It is {way}, over {windows}, divided by all windows.", total / mask.numel()
    yield "It is 0, as if no window counted.", torch.zeros((), dtype=outputs.dtype)


def predictions(outputs: Tensor, grid: WindowGrid) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Yield labels (N,) and boxes (N, 4) as they are read wrongly, and the words for it."""
    classes, detection = outputs[:, 1:11], outputs[:, 0]
    logs = classes.log_softmax(1)
    first, second = logs.topk(2, 1).values.unbind(1)
    scores: dict[str, Tensor] = {
        "raw logits choose the window: compare the log-softmax": classes,
        "the detection logit chooses the window": logs + 1e6 * detection[:, None],
        "the detection logit is added to the score": logs + detection[:, None],
        "the detection's probability is multiplied by the digit's": (
            logs.exp() * detection.sigmoid()[:, None]
        ),
        "the window is chosen whose best digit is furthest ahead of its second": (
            logs + 1e6 * (first - second)[:, None]
        ),
        "the softmax is taken over the windows": classes.flatten(2).softmax(2).view_as(classes),
        "the softmax is taken over all fifteen channels": outputs.softmax(1)[:, 1:11],
        "the least sure window is chosen": -logs.amax(1, keepdim=True) + 1e-9 * logs,
    }
    for words, score in scores.items():
        best, digits = score.max(1)
        chosen = best.flatten(1).argmax(1)
        # Who chooses the window otherwise still reads its surest digit.
        digits = logs.argmax(1) if "least" in words else digits
        yield f"It is what comes out where {words}.", *read(outputs, grid, chosen, digits)
    best, digits = logs.max(1)
    chosen = best.flatten(1).argmax(1)
    labels, boxes = read(outputs, grid, chosen, digits)
    yield "Every label is one too large.", labels + 1, boxes
    yield "It is the first window's.", *read(outputs, grid, torch.zeros_like(chosen), digits)
    raw = outputs[:, 11:].flatten(2)[torch.arange(len(outputs)), :, chosen]
    rows, columns = grid.count
    corner = (torch.stack([chosen % columns, chosen // columns], 1) * grid.stride).repeat(1, 2)
    for words, other in wrong_boxes(raw, corner, grid).items():
        yield words, labels, other
    crossed = torch.stack([chosen % rows, chosen // rows], 1).repeat(1, 2) * grid.stride
    yield (
        "Row and column are divided by the number of rows: columns are what a row holds.",
        labels,
        (crossed + grid.size * raw) / SIDE,
    )


def wrong_boxes(raw: Tensor, corner: Tensor, grid: WindowGrid) -> Ways:
    """Return what is made of the best windows' boxes (N, 4), by the corners (N, 4) in pixels."""
    right = (corner + grid.size * raw) / SIDE
    return {
        "They are still in fractions of the window.": raw,
        "They are multiplied by the image's side instead of the window's size.": (
            corner + SIDE * raw
        )
        / SIDE,
        "They are multiplied by the stride instead of the window's size.": (
            corner + grid.stride * raw
        )
        / SIDE,
        "They lack the window's corner.": grid.size * raw / SIDE,
        "They are in pixels: divide by the image's side.": corner + grid.size * raw,
        "The corner is counted in windows, not in pixels: the stride is missing.": (
            corner / grid.stride + grid.size * raw
        )
        / SIDE,
        "The corner's row and column are exchanged.": (corner[:, [1, 0, 3, 2]] + grid.size * raw)
        / SIDE,
        "They are cut to the image: what sticks out must stay.": right.clamp(0, 1),
    }


def read(
    outputs: Tensor, grid: WindowGrid, chosen: Tensor, digits: Tensor
) -> tuple[Tensor, Tensor]:
    """Return labels and boxes of chosen windows (N,), with the digits (N, rows, columns) there."""
    images, columns = torch.arange(len(outputs)), grid.count[1]
    raw = outputs[:, 11:].flatten(2)[images, :, chosen]
    corner = torch.stack([chosen % columns, chosen // columns], 1).repeat(1, 2) * grid.stride
    return digits.flatten(1)[images, chosen], (corner + grid.size * raw) / SIDE
