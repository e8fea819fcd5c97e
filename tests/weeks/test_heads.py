"""What a notebook begins with: true contents, and a cell that finds or fetches `detlab`."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

from detgrader.authoring.source import Source, read
from detgrader.course import Course

COURSE = Course.find()
WEEKS = COURSE.weeks()


def head_of(source: Source) -> str:
    """Return the text above the setup cell."""
    names = [cell.name for cell in source.cells]
    cells = source.cells[: names.index("setup")]
    return "\n".join(cell.node.source for cell in cells if cell.node.cell_type == "markdown")


def install_cell(source: Source) -> str:
    code: str = next(cell.node.source for cell in source.cells if cell.name == "install")
    return code


@pytest.mark.parametrize("week", WEEKS)
def test_the_contents_are_the_tasks(week: str) -> None:
    source = read(COURSE, week)
    # A fourth column, if there is one, holds minutes.
    row = r"^\| (\d+\.\d+) \| ([^|]+) \| (\d+) \|(?: \d+ \|)?$"
    rows = re.findall(row, head_of(source), re.MULTILINE)
    assert rows == [(one.label, one.title, f"{one.points:g}") for one in source.headings]


@pytest.mark.parametrize("week", ["week1_sliding_window", "week5_focal_loss"])
def test_the_contents_say_how_long_each_task_takes(week: str) -> None:
    source = read(COURSE, week)
    minutes = re.findall(
        r"^\| \d+\.\d+ \| [^|]+ \| \d+ \| (\d+) \|$", head_of(source), re.MULTILINE
    )
    assert len(minutes) == len(source.headings)


@pytest.mark.parametrize("week", WEEKS)
def test_the_head_says_what_students_must_know(week: str) -> None:
    head = head_of(read(COURSE, week))
    words = "In the end you can,You need,How it works.,What the grader takes.,Limits.,Conventions."
    for word in words.split(","):
        assert f"**{word}**" in head, word


def test_the_install_cell_is_the_same_everywhere() -> None:
    assert len({install_cell(read(COURSE, week)) for week in WEEKS}) == 1


@pytest.fixture
def code() -> str:
    return install_cell(read(COURSE, WEEKS[0]))


def test_it_says_that_detlab_is_here(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(code, {})
    assert capsys.readouterr().out == "detlab is here: go on.\n"


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python without detlab."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


@pytest.mark.usefixtures("bare")
def test_elsewhere_it_says_what_to_do(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(code, {})
    assert "choose the kernel of .venv" in capsys.readouterr().out


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[object]]:
    """Colab, in an empty folder, with pip's place taken by a note of what it was asked for."""
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    monkeypatch.chdir(tmp_path)
    commands: list[list[object]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, check: commands.append(command))
    return commands


def choose(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Have somebody choose files to upload."""
    files = types.SimpleNamespace(upload=lambda: dict.fromkeys(names, b""))
    monkeypatch.setattr(sys.modules["google.colab"], "files", files, raising=False)


@pytest.mark.usefixtures("bare")
def test_on_colab_it_installs_the_package_of_the_uploaded_zip(
    code: str, asked: list[list[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    import zipfile

    with zipfile.ZipFile("mine-main.zip", "w") as archive:
        archive.write(COURSE.root / "shared/pyproject.toml", "mine-main/shared/pyproject.toml")
    choose(monkeypatch, "mine-main.zip")
    exec(code, {})
    assert asked == [
        [sys.executable, "-m", "pip", "install", "--quiet", Path("mine-main/shared")],
    ]
    assert Path("mine-main/shared/pyproject.toml").is_file()


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("names", [(), ("week1.ipynb",)])
def test_on_colab_a_wrong_choice_is_told(
    code: str,
    asked: list[list[object]],
    names: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in names:
        Path(name).write_text("{}", "utf-8")
    choose(monkeypatch, *names)
    exec(code, {})
    assert "run this cell again, and choose that zip" in capsys.readouterr().out
    assert not asked
