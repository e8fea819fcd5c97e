"""What an overlay can touch: found by comparing statements, on the safe side."""

from __future__ import annotations

import pytest

from detgrader.audit.touched import Touched, touched_by
from detlab.checking.notebook import CodeCell

FIRST = '''\
SIDE = 300
CLASSES = ("cat", "dog")


class Base:
    def __init__(self):
        self.side = SIDE


def area(box):
    """Return the area."""
    return box[0] * box[1]
'''
SECOND = """\
class Net(Base):
    pass


def overlap(a, b):
    return area(a) / area(b)


def longest(boxes):
    return max(boxes)


def chosen(name):
    return globals()["area"] if name else None
"""
THIRD = """\
import torch

net = Net()


@torch.no_grad()
def predict(boxes):
    return overlap(*boxes)
"""


def touched(first: str = FIRST, second: str = SECOND, third: str = "") -> Touched:
    """Compare cells with the reference's; the third is left out unless it is given."""
    names = [("task_1_1", FIRST, first), ("task_1_2", SECOND, second)]
    names += [("task_1_3", THIRD, third)] if third else []
    before = [CodeCell(name, source) for name, source, _ in names]
    return touched_by(before, [CodeCell(name, source) for name, _, source in names])


def test_what_is_the_same_touches_nothing() -> None:
    assert touched() == Touched(frozenset())
    respaced = FIRST.replace(" * ", "*").replace("return box", "# A comment.\n    return box")
    assert touched(respaced) == Touched(frozenset())


def test_what_uses_a_changed_function_is_touched_wherever_it_stands() -> None:
    found = touched(FIRST.replace("box[1]", "box[2]"))
    assert found == Touched(frozenset({"area", "overlap", "chosen"}))
    assert found.reaches({"overlap", "seed"})
    assert not found.reaches({"longest"})


def test_what_is_laid_over_a_cell_counts_as_a_change_of_the_name() -> None:
    assert touched(FIRST + "\ndef area(box):\n    return 0\n").names == {
        *("area", "overlap", "chosen")
    }


def test_a_changed_constant_touches_what_mentions_it() -> None:
    assert touched(FIRST.replace("300", "320")).names == {"SIDE", "Base", "Net"}


def test_a_name_that_is_new_or_gone_is_touched() -> None:
    assert touched(FIRST + "\ndef max(boxes):\n    return 0\n").names == {"max", "longest"}
    gone = FIRST.replace('CLASSES = ("cat", "dog")\n', "")
    assert touched(gone).names == {"CLASSES"}


def test_an_earlier_cell_may_use_what_a_later_one_defines() -> None:
    asks = FIRST + "\ndef early():\n    return longest([])\n"
    before = [CodeCell("task_1_1", asks), CodeCell("task_1_2", SECOND)]
    changed = SECOND.replace("max(boxes)", "min(boxes)")
    after = [CodeCell("task_1_1", asks), CodeCell("task_1_2", changed)]
    assert touched_by(before, after).names == {"longest", "early"}


@pytest.mark.parametrize(
    "code",
    [
        "Base.__init__ = lambda self: None",  # a class of another cell is patched
        "CLASSES[0] = 1",
        "SIDE += 1",
        "print('hello')",
        "import torch\ntorch.manual_seed(0)",
        "side = set_default(SIDE)",  # a call may do anything, whatever it returns
        "if SIDE:\n    SIDE = 2",
        "for SIDE in range(3): pass",
        "del SIDE",
        "class Base:\n    register()",
        "class Base(made()): pass",
        "def area(box, cache=made()): return 0",
        "@register\ndef area(box): return 0",
    ],
)
def test_what_runs_at_once_and_is_new_may_touch_anything(code: str) -> None:
    found = touched(f"{FIRST}\n{code}\n")
    assert found.anything
    assert found.reaches(set())


def test_what_runs_at_once_in_the_reference_too_is_no_news() -> None:
    changed = THIRD + "\n\n@torch.no_grad()\ndef predict(boxes):\n    return 0\n"
    assert touched(third=changed) == Touched(frozenset({"predict"}))


def test_what_runs_at_once_with_a_touched_name_may_touch_anything() -> None:
    assert touched(FIRST.replace("300", "320"), third=THIRD).anything  # `net = Net()`
    assert not touched(FIRST.replace("box[1]", "box[2]"), third=THIRD).anything
