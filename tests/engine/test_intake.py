"""Bad input: a clear message, the right exit status, and everything else graded."""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from attacks.grading import build_course, hand_in, notebook_with, solved_notebook
from attacks.notebooks import cell_of, deleted, duplicate
from attacks.toys import LABELS, POINTS, WEEK
from harness import run

from detgrader.course import Course

Edit = Callable[[dict], object]
STATUSES = {"passed", "partial", "failed", "not_attempted", "limit", "violation"}
STATUSES |= {"manual", "skipped", "grader_error"}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return build_course(tmp_path_factory.mktemp("intake") / "course")


@pytest.fixture(scope="module")
def solved(course: Course) -> dict:
    return solved_notebook(course)


def archive(notebook: bytes) -> bytes:
    """Return a zip with hostile names."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name in ("../up.ipynb", "/absolute.ipynb", "a.ipynb", "A.IPYNB"):
            file.writestr(name, notebook)
    return data.getvalue()


def unusable(solved: dict) -> dict[str, tuple[bytes, str]]:
    """Return files of which nothing can be graded: by name the bytes and the message's words."""
    good = json.dumps(solved).encode()
    week9 = good.replace(b"task_1_", b"task_9_")
    bare = json.dumps(
        solved | {"cells": [c | {"metadata": {}, "id": "lost"} for c in solved["cells"]]}
    ).encode()
    return {
        "empty": (b"", "is empty"),
        "blank": (b" \n\t\n", "is empty"),
        "text": (b"def add(a, b): return a + b", "not JSON: line 1"),
        "cut-off": (good[:2000], "not JSON: line"),
        "nothing-but-nul": (b"\0" * 100, "not JSON"),
        "latin1": (good.replace(b"Return the sum", "Größe".encode("latin-1")), "not UTF-8"),
        "utf16": (json.dumps(solved).encode("utf-16"), "not UTF-8"),
        "format-3": (b'{"nbformat": 3, "worksheets": []}', "format 3, not 4"),
        "format-odd": (b'{"nbformat": [4], "cells": []}', "not 4"),
        "format-none": (b'{"cells": []}', "not a notebook"),
        "a-list": (b"[]", "not a notebook"),
        "a-number": (b"4", "not a notebook"),
        "no-cells": (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "no list of"),
        "odd-cells": (b'{"nbformat": 4, "cells": {"a": 1}}', "no list of"),
        "many-cells": (b'{"nbformat": 4, "cells": [' + b"1," * 3000 + b"1]}", "no list of"),
        "damaged-cell": (b'{"nbformat": 4, "cells": [{"cell_type": "code"}]}', "Cell 1 "),
        "odd-source": (good.replace(b'"source": ', b'"source": 1, "old": ', 1), "Cell 1 "),
        "no-answers": (bare, "no answer cells"),
        "another-week": (week9, "answers week 9"),
        "key-twice": (good[:-1] + b', "cells": []}', "stands twice"),
        "deep": (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        "deep-objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
        "long-number": (b'{"nbformat": ' + b"4" * 5000 + b"}", "not a sound notebook"),
        "nan": (b'{"nbformat": NaN, "cells": []}', "not 4"),
        "large": (b" " * (50 << 20), "larger than 20 MiB"),
        "zip": (archive(good), "archive"),
        "gzip": (b"\x1f\x8b\x08" + bytes(20), "archive"),
    }


def answers() -> dict[str, tuple[Edit, str, str]]:
    """Return faults of one answer: by name an edit, the task that it costs, the message's words."""

    def source(label: str, text: object) -> Edit:
        return lambda notebook: cell_of(notebook, f"task_{label}").update(source=text)

    return {
        "syntax": (source("1_2", "def scale(b, f):\n    return (b"), "1.2", "task_1_2, line 2"),
        "colon": (source("1_2", "x = 1\ndef scale(b, f)\n"), "1.2", "task_1_2, line 2"),
        "magic": (source("1_3", "x = 1\n%matplotlib inline"), "1.3", "task_1_3, line 2: %matpl"),
        "await": (source("1_4", "x = 1\n\nawait x"), "1.4", "task_1_4, line 3: await x"),
        "twice": (duplicate, "1.1", "stands 2 times"),
        "missing": (deleted, "1.1", "is missing"),
        "long": (source("1_2", "x = 1\n" * 10_000), "1.2", "longer than 50000"),
        "nul": (source("1_2", "x = '\0'"), "1.2", "task_1_2, line 1"),
        "surrogate": (source("1_2", "x = \ud800"), "1.2", "task_1_2, line 1"),
        "emptied": (source("1_2", ""), "1.2", "`scale` is not defined"),
        "carriage-returns": (source("1_2", "x = 1\r\ry = = 2\r"), "1.2", "task_1_2, line 3"),
        "source-as-lines": (source("1_2", ["x = 1\n", "y = = 2\n"]), "1.2", "task_1_2, line 2"),
    }


def odd_places(folder: Path, solved: dict) -> dict[str, tuple[Path, str]]:
    """Return paths that are not a student's own file: by name the path and the message's words."""
    good = hand_in(solved, folder / "real" / "real.ipynb")
    link = folder / "link.ipynb"
    link.symlink_to(good)
    (folder / "linked").symlink_to(good.parent)
    (folder / "dangling.ipynb").symlink_to(folder / "nowhere")
    hand_in(solved, folder / "bob" / WEEK / f"{WEEK}.ipynb")
    (folder / "ada").symlink_to(folder / "bob")
    os.mkfifo(folder / "fifo.ipynb")
    return {
        "link": (link, "is a symbolic link"),
        "dangling": (folder / "dangling.ipynb", "is a symbolic link"),
        "linked-folder": (folder / "linked" / "real.ipynb", "is a symbolic link"),
        "linked-student": (folder / "ada" / WEEK / f"{WEEK}.ipynb", "ada is a symbolic link"),
        "fifo": (folder / "fifo.ipynb", "not an ordinary file"),
    }


def nowhere(folder: Path) -> dict[str, tuple[Path, str]]:
    """Return what is no submission at all: by name the path and the message's words."""
    (folder / "directory.ipynb").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "there.ipynb").write_text("{}")
    (folder / "README.md").write_text("# Read me")
    (folder / "broken.zip").write_text("no zip")
    (folder / "linked").symlink_to(folder / "empty")
    return {
        "missing": (folder / "missing.ipynb", "missing.ipynb does not exist"),
        "missing-folder": (folder / "no" / "missing.ipynb", "does not exist"),
        "empty-glob": (folder / "*" / f"{WEEK}.ipynb", "does not exist"),
        "name-too-long": (folder / ("x" * 300 + ".ipynb"), "File name too long"),
        "below-a-file": (folder / "there.ipynb" / "x.ipynb", "does not exist"),
        "folder-with-a-notebooks-name": (folder / "directory.ipynb", "holds no notebook"),
        "empty-folder": (folder / "empty", "holds no notebook"),
        "linked-folder": (folder / "linked", "is a symbolic link"),
        "another-file": (folder / "README.md", "is neither a notebook"),
        "device": (Path("/dev/zero"), "is neither a notebook"),
        "broken-zip": (folder / "broken.zip", "File is not a zip file"),
    }


STRANGERS = ("conftest", "numpy", "sitecustomize")
ODD_NAMES = (
    "[bold]name[/].ipynb",
    "line\nbreak.ipynb",
    "\x1b[2Jescape.ipynb",
    "-o.ipynb",
    "ünï.ipynb",
)


@pytest.fixture(scope="module")
def call(course: Course, solved: dict, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Grade everything bad, and a good notebook at each end, in one call of the command."""
    folder = tmp_path_factory.mktemp("bad")
    out = folder / "out"
    files = {"good-first": (hand_in(solved, folder / "good-first.ipynb"), "")}
    for name, (data, says) in unusable(solved).items():
        files[name] = (folder / f"{name}.ipynb", says)
        files[name][0].write_bytes(data)
    files |= {f"place-{name}": pair for name, pair in odd_places(folder, solved).items()}
    for name, (edit, _, _) in answers().items():
        notebook = notebook_with(solved, {})
        edit(notebook)
        files[f"answer-{name}"] = (hand_in(notebook, folder / f"answer-{name}.ipynb"), "")
    for module in STRANGERS:  # what a repository may hold beside a notebook
        files[module] = (hand_in(solved, folder / module / f"{WEEK}.ipynb"), "")
        (folder / module / f"{module}.py").write_text("raise SystemExit(9)")
    for number, name in enumerate(ODD_NAMES):
        files[f"name-{number}"] = (hand_in(solved, folder / name), "")
    latin = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.ipynb"))
    files["name-not-utf8"] = (hand_in(solved, latin), "")
    files["good-last"] = (hand_in(solved, folder / "good-last.ipynb"), "")
    paths = [path for path, _ in files.values()]
    done = run("grade", WEEK, "--out", out, "--", *paths, cwd=course.root)
    results = json.loads((out / "results.json").read_text("utf-8")) if out.is_dir() else None
    return {"done": done, "out": out, "files": files, "results": results}


def result_of(call: dict, name: str) -> dict:
    return call["results"]["submissions"][list(call["files"]).index(name)]


def test_bad_files_make_the_exit_status_1_and_no_traceback(call: dict) -> None:
    done = call["done"]
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
    assert "Traceback" not in done.stdout + done.stderr
    assert "\x1b[2J" not in done.stdout + done.stderr


def test_results_have_the_agreed_form_whatever_came_in(call: dict) -> None:
    results = call["results"]
    assert (results["schema"], results["assignment"]) == (1, WEEK)
    assert results["isolation"] == "bubblewrap"
    assert len(results["submissions"]) == len(call["files"])
    names = [submission["student"] for submission in results["submissions"]]
    assert len(set(names)) == len(names)
    for submission in results["submissions"]:
        assert submission["student"].isprintable()
        assert submission["max_score"] == 100
        assert (submission["score"] is None) == bool(submission["error"])
        sha256 = submission["notebook_sha256"]
        assert sha256 is None or re.fullmatch("[0-9a-f]{64}", sha256)
        assert [task["task"] for task in submission["tasks"]] == list(LABELS)
        scores = [task["score"] for task in submission["tasks"]]
        if submission["error"]:  # what was not graded has no points, which is not none
            assert scores == [None] * len(LABELS)
        else:
            assert submission["score"] == sum(scores)
        for task in submission["tasks"]:
            assert task["status"] in STATUSES - {"grader_error"}
            assert isinstance(task["seconds"], float)
            assert (task["message"] == "") == (task["status"] == "passed")


UNUSABLE = unusable({"cells": []})
PLACES = "link dangling linked-folder linked-student fifo"


@pytest.mark.parametrize("name", [*UNUSABLE, *(f"place-{name}" for name in PLACES.split())])
def test_unusable_file_is_refused_with_the_reason(call: dict, name: str) -> None:
    result = result_of(call, name)
    path, says = call["files"][name]
    assert says in result["error"]
    assert (result["score"], result["max_score"]) == (None, 100)
    assert {task["status"] for task in result["tasks"]} == {"skipped"}
    assert all(task["message"] == result["error"] for task in result["tasks"])
    assert path.name in result["notebook"]


@pytest.mark.parametrize("name", answers())
def test_faulty_answer_costs_its_task_alone_and_names_the_cell(call: dict, name: str) -> None:
    _, label, says = answers()[name]
    result = result_of(call, f"answer-{name}")
    assert result["error"] == ""
    tasks = {task["task"]: task for task in result["tasks"]}
    assert tasks[label]["status"] == "failed"
    assert says in tasks[label]["message"]
    assert {key: task["score"] for key, task in tasks.items()} == POINTS | {label: 0}


@pytest.mark.parametrize(
    "name",
    ["good-first", "good-last", *STRANGERS, "name-not-utf8"]
    + [f"name-{n}" for n in range(len(ODD_NAMES))],
)
def test_good_notebooks_among_bad_ones_earn_everything(call: dict, name: str) -> None:
    assert result_of(call, name)["score"] == 100


NOWHERE = "missing missing-folder empty-glob name-too-long below-a-file another-file device"
NOWHERE += " folder-with-a-notebooks-name empty-folder linked-folder broken-zip"


@pytest.mark.parametrize("name", NOWHERE.split())
def test_what_holds_no_submission_is_an_error_before_anything_is_graded(
    course: Course, solved: dict, tmp_path: Path, name: str
) -> None:
    path, says = nowhere(tmp_path / "places")[name]
    good = hand_in(solved, tmp_path / "good.ipynb")
    done = run("grade", WEEK, good, path, "--out", tmp_path / "out", cwd=course.root)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "results.json").exists()


def test_notebook_with_too_much_code_is_refused(course: Course, solved: dict) -> None:
    from detgrader.assignment import load_assignment
    from detgrader.intake import Submission, take_cells

    many = notebook_with(solved, {})
    for _ in range(5):
        cell = {"cell_type": "code", "metadata": {}, "source": "x = '" + "ä" * 40_000 + "'"}
        many["cells"].append(cell)
    submission = Submission("ada", Path("ada.ipynb"))
    with pytest.raises(Exception, match="more than 120000 characters"):
        take_cells(submission, many["cells"], load_assignment(course, WEEK))


def test_long_answer_is_graded_whole(course: Course, solved: dict, tmp_path: Path) -> None:
    padding = "# ä\n" * 10_000
    right = cell_of(solved, "task_1_1")["source"]
    path = hand_in(notebook_with(solved, {"task_1_1": padding + right}), tmp_path / "ada.ipynb")
    done = run("grade", WEEK, path, "--out", tmp_path / "out", cwd=course.root)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "out/results.json").read_text("utf-8"))
    assert results["submissions"][0]["score"] == 100


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("week9_nowhere", "a.ipynb"), "week9_nowhere"),
        (("../week1_toy", "a.ipynb"), "no week"),
        ((WEEK,), "submissions"),
        ((WEEK, "a.ipynb", "--jobs", "0"), "--jobs"),
        ((WEEK, "a.ipynb", "--nonsense"), "--nonsense"),
        ((WEEK, "a.ipynb", "--out", "solutions/week1_toy/notebook.py"), "not a folder"),
        ((WEEK, "a.ipynb", "--without", "1.3"), "can be left out"),
    ],
)
def test_wrong_usage_has_exit_status_2_and_says_why(course: Course, arguments, says: str) -> None:
    done = run("grade", *arguments, cwd=course.root)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
