"""Task 2.8: thirty images with true and predicted boxes and labels."""

import pytest
import torch

from detcourse.hidden_digits import load_hidden_digits
from detcourse.week2.scenes import place, random_boxes
from detlab.checking.own_work import expect_untouched
from detlab.checking.replies import axes_of
from detlab.checking.student import Student
from detlab.weeks.week2.assertions import check_predictions_figure

pytestmark = [pytest.mark.task("2.8", points=3), pytest.mark.limits(cpu_s=20, wall_s=60)]


def test_figure(student: Student, rng: torch.Generator) -> None:
    """The figure: 30 images, true boxes green, predicted ones red, both labels above."""
    digits, true_labels = load_hidden_digits()
    images, _ = place(digits[:30], rng)
    # Not square: x is a fraction of the width, y of the height.
    scene = {
        "images": (images.float() / 255)[:, :, 4:52],
        "true_boxes": random_boxes(rng, 30),
        "true_labels": true_labels[:30],
        "boxes": random_boxes(rng, 30),
        "labels": torch.randint(0, 10, (30,), generator=rng),
    }
    axes = axes_of(student, student.show_predictions(**scene), "`show_predictions`'s result")
    check_predictions_figure(axes, **scene)
    expect_untouched(student, "show_predictions", *scene.values())
