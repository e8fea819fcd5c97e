"""The house keeps its shape: who imports whom, what the engine knows of, how files are kept."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from detgrader.course import Course

ROOT = Course.find().root
ENGINE = (ROOT / "autograder/detgrader", ROOT / "shared/detlab/checking")
PACKAGES = (ROOT / "autograder/detgrader", ROOT / "autograder/detcourse", ROOT / "shared/detlab")
CHECKS = ROOT / "autograder/checks"

# The rooms of the engine, and the rooms that each may know of besides itself. `ground` is what lies
# in no room: courses, files, texts, submissions. The `doors` are what people call.
KNOWS = {
    "checking": "",
    "ground": "checking",
    "sandbox": "ground checking",
    "grading": "sandbox ground checking",
    "authoring": "grading ground checking",
    "classroom": "grading sandbox ground checking",
    "audit": "classroom grading sandbox ground checking",
    "doors": "audit classroom authoring grading sandbox ground checking",
}
DOORS = ("cli", "__main__", "demo", "doctor")
# What the engine must not know of: this course's subject, its weeks, its sets, its commands.
FOREIGN = r"""
    detect(s|ed|ion|ions|or|ors)? locali[sz]\w* priors? anchors? bounding iou nms ssd\d* vgg\w*
    mnist voc bccd imagenet digits? blood scenes? sliding train.reference week\W?\d\w*
""".split()


def sources(*folders: Path) -> list[Path]:
    """Return all Python files of some folders."""
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes(), str(path))


def name_of(path: Path) -> str:
    """Return a module's name: of a hidden check `checks.week1.test_…`."""
    inside = next(base for base in ("autograder", "shared") if path.is_relative_to(ROOT / base))
    parts = path.relative_to(ROOT / inside).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """Yield what a module imports, at its top or inside of a function: where, and the full name."""
    package = name_of(path).split(".")
    package = package if path.stem == "__init__" else package[:-1]
    for node in ast.walk(tree_of(path)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        yield from ((f"{path.relative_to(ROOT)}:{node.lineno}", name) for name in names)


def room_of(name: str) -> str:
    """Return the room of the engine that a module (or a name in one) is in; "" for others."""
    parts = name.split(".")
    if parts[:2] == ["detlab", "checking"]:
        return "checking"
    if parts[0] != "detgrader":
        return ""
    first = parts[1] if len(parts) > 1 else ""
    return first if first in KNOWS else "doors" if first in DOORS else "ground"


def is_in(name: str, *packages: str) -> bool:
    """Say whether a module, or a name in one, belongs to one of some packages."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def test_rooms_of_the_engine_know_only_what_lies_below_them() -> None:
    wrong = [
        f"{where}: {room} knows {name}"
        for path in sources(*ENGINE)
        for where, name in imports(path)
        if (other := room_of(name)) and other != (room := room_of(name_of(path)))
        if other not in KNOWS[room].split()
    ]
    assert not wrong, "\n".join(wrong)


def test_every_room_has_been_looked_at() -> None:
    rooms = {room_of(name_of(path)) for path in sources(*ENGINE)}
    assert rooms == set(KNOWS)
    cli = [room_of(name) for _, name in imports(ENGINE[0] / "cli.py")]
    assert "authoring" in cli  # which it imports inside of a function


def test_the_engine_knows_of_no_course() -> None:
    wrong = [
        f"{where}: {name}"
        for path in sources(*ENGINE)
        for where, name in imports(path)
        if is_in(name, "detcourse", "detlab") and not is_in(name, "detlab.checking")
    ]
    assert not wrong, "\n".join(wrong)


def test_students_packages_know_nothing_of_staffs() -> None:
    wrong = [
        f"{where}: {name}"
        for path in sources(ROOT / "shared")
        for where, name in imports(path)
        if is_in(name, "detgrader", "detcourse")
    ]
    assert not wrong, "\n".join(wrong)


def test_the_course_rests_on_grading_and_what_lies_below_it() -> None:
    allowed = {"", "grading", *KNOWS["grading"].split()}
    wrong = [
        f"{where}: {name}"
        for path in sources(ROOT / "autograder/detcourse", CHECKS)
        for where, name in imports(path)
        if room_of(name) not in allowed or is_in(name, "checks")
    ]
    assert not wrong, "\n".join(wrong)


def test_no_week_knows_another() -> None:
    wrong = []
    for path in sources(ROOT / "autograder/detcourse", ROOT / "shared/detlab", CHECKS):
        own = re.search(r"\.(week\d+)\b", name_of(path))
        for where, name in imports(path):
            other = re.search(r"\.(week\d+)\b", name)
            if other and (own is None or own[1] != other[1]):
                wrong.append(f"{where}: {name}")
    assert not wrong, "\n".join(wrong)


def test_the_engine_has_no_word_of_this_course() -> None:
    """Neither in code nor in text: what it says to people must be true of any course."""
    foreign = re.compile(rf"(?<![a-z])({'|'.join(FOREIGN)})(?![a-z])", re.IGNORECASE)
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {found[0]}"
        for path in sources(*ENGINE)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        for found in foreign.finditer(line)
    ]
    assert not wrong, "\n".join(wrong)
    for phrase in ("box_iou", "the SSD300", "week1_sliding_window", "# Week 4", "priors,"):
        assert foreign.search(phrase), phrase
    for phrase in ("previous", "priority", "voice", "weekly", "detgrader", "unions"):
        assert not foreign.search(phrase), phrase


def test_labels_become_ids_and_back_in_one_module() -> None:
    wrong = []
    for path in sources(*ENGINE, ROOT / "shared/detlab/weeks"):
        if name_of(path) == "detlab.checking.labels":
            continue
        for node in ast.walk(tree_of(path)):
            match node:
                case ast.Constant(value=str(text)) if re.search(r"(^|\s)(task|check)_$", text):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {text!r}")
                case ast.Call(
                    func=ast.Attribute(value=value, attr="replace" | "split" | "partition"),
                    args=[ast.Constant(value="." | "_"), *_],
                ) if "label" in ast.unparse(value):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: folder.name)
def test_every_module_says_what_it_is_for(folder: Path) -> None:
    paths = sources(folder)
    rooms = {path.parent for path in paths}
    assert not [room for room in rooms if not (room / "__init__.py").is_file()]
    assert not [path for path in paths if not ast.get_docstring(tree_of(path))]


def test_files_of_the_engine_are_read_in_one_sitting() -> None:
    """About 300 lines; a little more is a sign, not an offence."""
    lengths = {path: len(path.read_bytes().splitlines()) for path in sources(*ENGINE)}
    assert not {str(path): length for path, length in lengths.items() if length > 330}


def test_imports_are_plain() -> None:
    """No star, no edits of the path on which modules are found, no module of odds and ends."""
    wrong = []
    for path in sources(*(ROOT / name for name in ("autograder", "shared", "tests", "benchmarks"))):
        if path.stem in ("util", "utils", "helpers", "misc", "common"):
            wrong.append(str(path))
        for node in ast.walk(tree_of(path)):
            star = isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
            if star or (isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.path"):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not wrong, "\n".join(wrong)
