"""Random cases end, whatever priors they are asked for."""

from __future__ import annotations

import pytest
import torch

from detcourse.cases import some_priors
from detcourse.draws import Undrawable, draws
from detcourse.loss_cases import case


def test_priors_that_leave_every_matching_open_are_refused() -> None:
    rng = torch.Generator().manual_seed(0)
    assert [len(boxes) for boxes in case(rng, [2, 0], 5)["boxes"]] == [2, 0]
    alike = some_priors(rng)[:1].repeat(80, 1)
    with pytest.raises(Undrawable):
        case(rng, [1], 5, alike)


def test_a_case_that_is_never_drawn_is_an_error_and_no_hang() -> None:
    with pytest.raises(Undrawable):
        for _ in draws():
            pass
