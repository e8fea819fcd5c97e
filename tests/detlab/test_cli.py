"""The students' command line: help at once, and what it says before a notebook is handed in."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from harness import ROOT, run

from detgrader.course import Course
from detgrader.reference import reference_notebook
from detlab.checking import practice, running

COURSE = Course.find()
SECOND = Course(ROOT / "tests/second_course")
WEEK = "week1_runs"


def test_help_does_not_wait_for_torch() -> None:
    look = "import sys, detlab.cli; print([m for m in ('torch', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert "--submission" in run("check", "--help", program="detlab").stdout


def write(path: Path, notebook: object) -> Path:
    path.write_text(json.dumps(notebook), "utf-8")
    return path


def test_a_submission_is_checked_from_the_top_and_recorded(tmp_path: Path) -> None:
    notebook = reference_notebook(SECOND, WEEK)
    cell = next(cell for cell in notebook["cells"] if cell["id"] == "task_1_1")
    cell["source"] += "\nimport sys\nsys.exit()\n"
    stub = json.loads(SECOND.release(WEEK).read_text("utf-8"))
    released = {cell["id"]: cell for cell in stub["cells"]}
    notebook["cells"] = [
        released["task_1_3"] if cell["id"] == "task_1_3" else cell for cell in notebook["cells"]
    ]
    path = write(tmp_path / f"{WEEK}.ipynb", notebook)
    weights = path.with_suffix(".safetensors")
    weights.write_bytes(b"weights")
    done = run("check", "--submission", path, program="detlab")
    assert done.returncode == 1, done.stderr
    said = done.stdout
    assert said.startswith(f"{path} is accepted.")
    assert "task_1_1, line 5: SystemExit" in said
    assert "Task 1.1 passes." in said
    assert "Task 1.3 is still to do." in said
    assert "2 of 3 tasks pass their visible checks." in said
    assert "Still as handed out: task_1_3." in said
    for file in (path, weights):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert f"SHA-256 of {file.name}: {digest}" in said


@pytest.mark.parametrize("words", [(), ("--submission",)])
def test_a_file_that_is_refused_is_refused_here(tmp_path: Path, words: tuple[str, ...]) -> None:
    path = write(tmp_path / "a.ipynb", {"nbformat": 3})
    done = run("check", *words, path, program="detlab")
    assert done.returncode == 2
    assert "of format 3, not 4" in done.stderr
    assert "SHA-256" not in done.stdout


def test_what_was_added_to_the_setup_cell_is_told(tmp_path: Path) -> None:
    notebook = reference_notebook(SECOND, WEEK)
    setup = next(cell for cell in notebook["cells"] if cell["id"] == "setup")
    setup["source"] = "!pip install torch\n" + "".join(setup["source"]) + "\nimport math\n"
    done = run("check", write(tmp_path / "a.ipynb", notebook), program="detlab")
    assert done.returncode == 0, done.stdout
    assert "setup, line 1: `!pip install torch` does not count" in done.stdout
    assert "`import math` does not count: graders run the setup cell as it was" in done.stdout
    assert done.stdout.count("does not count") == 2


def second(changes: dict[str, str], *added: str) -> dict:
    """Return the second course's notebook, right but for some answers, with cells of one's own."""
    notebook = reference_notebook(SECOND, WEEK)
    for cell in notebook["cells"]:
        cell["source"] = changes.get(cell["id"], cell["source"])
    own = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    cells = [own | {"id": f"own{number}", "source": text} for number, text in enumerate(added)]
    notebook["cells"] = [notebook["cells"][0], *cells, *notebook["cells"][1:]]
    return notebook


def said_of(tmp_path: Path, notebook: dict, *words: str) -> str:
    return run(
        "check", *words, write(tmp_path / f"{WEEK}.ipynb", notebook), program="detlab"
    ).stdout


def stub_of(name: str) -> str:
    cells = json.loads(SECOND.release(WEEK).read_text("utf-8"))["cells"]
    return next("".join(cell["source"]) for cell in cells if cell["id"] == name)


def test_what_is_left_out_of_a_cell_is_told_where_it_is_missed(tmp_path: Path) -> None:
    answer = "def encode(bits):\n    return HALF\n"
    said = said_of(tmp_path, second({"task_1_1": answer}, "import math\nHALF = print() or 2\n"))
    assert "name 'HALF' is not defined" in said
    assert "`HALF` is set in cell 2, line 2, which is left out" in said


def test_an_answer_in_a_cell_of_its_own_is_found(tmp_path: Path) -> None:
    stub = stub_of("task_1_1")
    said = said_of(tmp_path, second({"task_1_1": stub}, stub), "--submission")
    assert said.startswith(f"{tmp_path / WEEK}.ipynb would be taken, but not all of it.")
    problem = "The answer cell task_1_1 is as it was handed out, but `encode` stands in cell 2"
    assert said.count(problem) == 2  # of the file, and of the task
    assert "Still as handed out" not in said


def test_a_line_for_jupyter_in_an_answer_is_told_as_one(tmp_path: Path) -> None:
    said = said_of(tmp_path, second({"task_1_1": "%matplotlib inline\n" + stub_of("task_1_1")}))
    assert "task_1_1, line 1: `%matplotlib inline` is for Jupyter and no Python" in said
    assert "Task 1.2 cannot be checked yet: it needs `encode` of task 1.1, which is not" in said
    whole = second({"task_1_1": "%matplotlib inline\n" + stub_of("task_1_1")})
    assert "would be taken, but not all of it.\ntask_1_1, line 1: `%mat" in said_of(
        tmp_path, whole, "--submission"
    )


def test_a_misspelt_name_is_found(tmp_path: Path) -> None:
    said = said_of(tmp_path, second({"task_1_1": "def encod(bits):\n    return bits\n"}))
    assert "You have defined `encod`: is that meant to be it?" in said


@pytest.mark.parametrize("week", COURSE.weeks())
def test_given_cells_say_nothing(tmp_path: Path, week: str) -> None:
    """They stand among those that count for their definitions alone."""
    path = tmp_path / f"{week}.ipynb"
    path.write_bytes(COURSE.release(week).read_bytes())
    found = practice.Practice(path)
    said: list[str] = []
    found.namespace_for(found.tasks[-1], said.append, threading.Event())
    assert not said


def test_another_name_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "my week 1.ipynb", second({}))
    assert (
        "It answers week 1, and has another name than that notebook"
        in run("check", "--submission", path, program="detlab").stdout
    )


LOOP = "def encode(bits):\n    while True:\n        pass\n"


@pytest.mark.parametrize(
    ("source", "words"),
    [(LOOP, "does a loop never end?\n"), (LOOP + "encode('')\n", "task_1_1: It was ended")],
    ids=["in a function", "in the cell"],
)
def test_a_loop_that_never_ends_is_ended_and_the_rest_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, words: str
) -> None:
    monkeypatch.setattr(practice, "LIMIT_S", 1)
    monkeypatch.setattr(running, "AGAIN_S", 1)
    monkeypatch.setattr(practice, "TOO_LONG", "It was ended: does a loop never end?")
    path = write(tmp_path / f"{WEEK}.ipynb", second({"task_1_1": source}))
    said: list[str] = []
    reports = list(practice.Practice(path).reports(said.append))
    assert [one.passed for one in reports][1:] == [False, True]
    told = "\n".join([*said, *(one.text for one in reports)])
    assert words in told + "\n"


def test_a_right_answer_whose_cell_never_ends_does_not_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(practice, "LIMIT_S", 1)
    cells = {cell["id"]: cell["source"] for cell in second({})["cells"]}
    source = "".join(cells["task_1_3"]) + "\nwhile True:\n    pass\n"
    path = write(tmp_path / f"{WEEK}.ipynb", second({"task_1_3": source}))
    *_, last = practice.Practice(path).reports(lambda error: None)
    assert not last.passed
    assert "does a loop never end?" in last.text
