"""Networks that a check gives to a student's code, and that run where the check is."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from detlab.checking.expect import fail
from detlab.checking.replies import Calls
from detlab.checking.student import Handle, Student

# One of these stands in code that runs networks without gradients.
WITHOUT_GRADIENTS = frozenset({"no_grad", "inference_mode", "set_grad_enabled"})


def given_module(student: Student, module: nn.Module) -> tuple[Handle, Calls]:
    """Give a module to the student's code: each call of it is answered here.

    Returns:
        A handle to it, and a list that grows with each call: the input's shape, and whether
        gradients were on. The shapes are what arrived here; the rest is the other side's word.
    """
    calls: Calls = []

    def run(images: Tensor, gradients: bool) -> Tensor:
        calls.append((tuple(images.shape), gradients is not False))
        with torch.no_grad():
            answer: Tensor = module(images.float())
        return answer.to(images.dtype)

    return student.make("Module", "asking_module", student.give(run)), calls


def expect_without_gradients(names: frozenset[str], what: str) -> None:
    """Check that a source names a way to run networks without gradients."""
    if not names & WITHOUT_GRADIENTS:
        fail(f"{what} must run the networks without gradients (`torch.no_grad()`).")
