"""The strip of pictures that suppresses a real network's boxes one step at a time (week 3)."""

from torch import Tensor

from detlab.panels import (
    FALSE_POSITIVE,
    FALSE_POSITIVE_STYLE,
    HIT,
    HIT_STYLE,
    TRUTH,
    TRUTH_STYLE,
    Label,
    add_key,
    outline,
    place_labels,
    show,
)
from detlab.plotting import COLOURS, Picture
from detlab.scenes import load_scenes
from detlab.ssd_answers import load_ssd_answers

SCENE, DIGIT, LEAST, THRESHOLD = 17, 1, 0.6, 0.45
WAITING, WAITING_STYLE = COLOURS[5], (0, (6, 1.5, 1.5, 1.5))


def candidates() -> tuple[Tensor, Tensor]:
    """Return the (n, 4) boxes and (n,) scores of one class in one scene, by falling score."""
    found = load_ssd_answers().early[SCENE]
    own = (found["labels"] == DIGIT + 1) & (found["scores"] > LEAST)
    return found["boxes"][own], found["scores"][own]


def steps_of(boxes: Tensor, scores: Tensor) -> tuple[list[int], list[int]]:
    """Say which candidates stay, and for each at which step it is settled.

    Returns:
        Indices of those that stay, best first; for each candidate the number, from 0, of the one
        of these that settles it, by dropping it or by being it.
    """
    from torchvision.ops import box_iou, nms

    stay = nms(boxes, scores, THRESHOLD)
    near = box_iou(boxes[stay], boxes) > THRESHOLD
    return stay.tolist(), near.int().argmax(0).tolist()


def draw_suppression() -> Picture:
    """Draw all candidates, a panel for each box that is kept and what it drops, and the truth."""
    boxes, scores = candidates()
    stay, settled = steps_of(boxes, scores)
    image, true_boxes, true_labels = (part[SCENE] for part in load_scenes("validation"))
    truth = true_boxes[true_labels == DIGIT + 1]
    count = len(stay) + 2
    figure = Picture(figsize=(10.5, 4.4), layout="constrained")
    grid = figure.subplots(1, count)
    told = []
    for step, axes in enumerate(grid, -1):
        show(axes, image)
        axes.set(xlim=(-0.04, 0.58), ylim=(1.07, -0.09))
        labels = []
        for box in truth if step == len(stay) else ():
            outline(axes, box, TRUTH, width=1.8, style=TRUTH_STYLE)
        for n, box in reversed(list(enumerate(boxes))):
            kept = n in stay and settled[n] <= step
            if kept:
                outline(axes, box, HIT, width=2.2, style=HIT_STYLE)
                labels.append(Label(box, f"{scores[n]:.2f}", HIT))
            elif settled[n] > step:
                outline(axes, box, WAITING, width=1.2, style=WAITING_STYLE)
            elif settled[n] == step:
                outline(axes, box, FALSE_POSITIVE, width=1.6, style=FALSE_POSITIVE_STYLE)
        place_labels(axes, labels[::-1], unit=10.5 / count / 0.62)
        dropped = sum(k == step for k in settled) - 1
        title = (
            f"{len(boxes)} candidates" if step < 0
            else f"{len(stay)} are left, for {len(truth)} digits" if step == len(stay)
            else f"keep {scores[stay[step]]:.2f}, drop {dropped}"
        )  # fmt: skip
        axes.set_title(title, size=9, pad=8)
        told.append(title)
    add_key(
        figure,
        {
            "not settled yet": (WAITING, WAITING_STYLE),
            "kept": (HIT, HIT_STYLE),
            "dropped in this step": (FALSE_POSITIVE, FALSE_POSITIVE_STYLE),
            "truth": (TRUTH, TRUTH_STYLE),
        },
    )
    figure.alt = f"Suppression of the boxes for the class of a {DIGIT}: {'; '.join(told)}."
    return figure
