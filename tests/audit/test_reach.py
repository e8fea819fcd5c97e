"""What a check is made of: its own statements, and those of the course's modules behind them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from detgrader.audit.reach import Module, Reach, Sources

MODULES = {
    "shapes/__init__.py": "",
    "shapes/boxes.py": """\
from math import sqrt

SCALE = 2.0


def area(box):
    return SCALE * side(box) ** 2


def side(box):
    return sqrt(box.area)


def unused(box):
    return box.diagonal
""",
    "shapes/again.py": "from shapes.boxes import area as surface\n",
    "test_shapes.py": '''\
import pytest
import torch

from shapes import boxes
from shapes.again import surface

pytestmark = pytest.mark.task("1.1", points=40)
LIMIT = 3


def many(student):
    return [student.box_area(n) for n in range(LIMIT)]


@pytest.mark.weight(2)
def test_area(student):
    """What it looks at."""
    assert surface(1) == many(student)


def test_side(student):
    right = boxes.side(1)
    assert student.fetch("the_side") == right


def test_all(student):
    for name in "first second".split():
        assert getattr(student, name)() in boxes
''',
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in MODULES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "shapes", raising=False)  # another test's
    return tmp_path


def reach(folder: Path, test: str) -> Reach:
    found = Reach(Sources())
    found.from_name(Module("test_shapes", folder / "test_shapes.py"), test)
    return found


def changed(folder: Path, name: str, old: str, new: str) -> set[str]:
    """Edit a file; return the tests that are made of something else than before."""
    tests = ("test_area", "test_side", "test_all")
    before = {test: reach(folder, test).digest for test in tests}
    text = (folder / name).read_text("utf-8")
    assert text.count(old) == 1
    (folder / name).write_text(text.replace(old, new), "utf-8")
    return {test for test in tests if reach(folder, test).digest != before[test]}


def test_a_check_asks_for_attributes_and_for_names_in_strings(folder: Path) -> None:
    assert {"box_area", "area"} <= reach(folder, "test_area").mentions
    assert not {"the_side", "first", "diagonal"} & reach(folder, "test_area").mentions
    assert "the_side" in reach(folder, "test_side").mentions
    assert {"first", "second"} <= reach(folder, "test_all").mentions


def test_a_check_is_its_own_statements_and_helpers(folder: Path) -> None:
    file = "test_shapes.py"
    assert changed(folder, file, "in range(LIMIT)", "in range(LIMIT + 1)") == {"test_area"}
    assert changed(folder, file, "LIMIT = 3", "LIMIT = 4") == {"test_area"}
    assert changed(folder, file, "weight(2)", "weight(3)") == {"test_area"}
    assert changed(folder, file, "boxes.side(1)", "boxes.side(2)") == {"test_side"}


def test_what_runs_when_the_file_is_imported_is_part_of_all(folder: Path) -> None:
    every = {"test_area", "test_side", "test_all"}
    assert changed(folder, "test_shapes.py", "points=40", "points=30") == every
    assert changed(folder, "shapes/__init__.py", "", "print('here')\n") == every


def test_a_check_is_what_it_imports_too_and_no_more_of_it(folder: Path) -> None:
    file = "shapes/boxes.py"
    assert changed(folder, file, "** 2", "** 3") == {"test_area", "test_all"}
    assert changed(folder, file, "SCALE = 2.0", "SCALE = 3.0") == {"test_area", "test_all"}
    assert changed(folder, file, "sqrt(box.area)", "sqrt(box.side)") == {
        *("test_area", "test_side", "test_all")
    }
    assert changed(folder, file, "box.diagonal", "box.side") == {"test_all"}
    again = "shapes/again.py"
    assert changed(folder, again, "area as surface", "side as surface") == {"test_area"}


def test_comments_and_blanks_are_no_change(folder: Path) -> None:
    assert changed(folder, "shapes/boxes.py", "SCALE = 2.0", "SCALE =  2.0  # twice") == set()


def test_libraries_are_not_read() -> None:
    sources = Sources()
    assert sources.module("torch.nn") is None
    assert sources.module("json") is None
    assert sources.module("nowhere.at.all") is None
    assert sources.module("detlab.checking.expect") is not None
