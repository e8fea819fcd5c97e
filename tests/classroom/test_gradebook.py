"""Points go into nbgrader's gradebook, and what a person marks in formgrader comes back."""

from __future__ import annotations

import contextlib
import csv
import functools
import io
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from browser_pages import chromium
from harness import ROOT, run_afresh
from nbgrader.api import Gradebook as Database
from rich.console import Console

from detgrader.assignment import load_assignment
from detgrader.classroom.gradebook import Gradebook, student_id
from detgrader.classroom.grading_class import ClassFiles, grade_class
from detgrader.classroom.rounds import Request
from detgrader.course import Course, CourseError

COURSE = Course.find()
WEEK = "week1_sliding_window"
RELEASE = ROOT / "assignments" / WEEK / f"{WEEK}.ipynb"
BUILD = """\
def build_network():
    layers = [nn.Conv2d(3, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    layers += [nn.Linear(400, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU(), nn.Linear(400, 4)]
    return nn.Sequential(*layers)
"""
ANSWER = "The linear layers want 400 numbers; as convolutions of 5×5 they do not care."
SCRIPT = "<script>document.title = 'pwned'</script>"
POLICY = "deadline = 2026-03-01T12:00:00Z\npercent_a_day = 10\n"
LATE = {"ada": "2026-03-01 11:00 UTC", "bob": "2026-03-02 11:00 UTC"}


class Class:
    """A class of three and its folders.

    Args:
        root: where all of it lies.
    """

    def __init__(self, root: Path):
        self.handed_in, self.out, self.course = root / "class", root / "out", root / "course"
        self.policy = root / "late.toml"
        self.policy.write_text(POLICY)
        self.hand_in("ada", {"task_1_1": ANSWER, "task_1_2": BUILD})
        self.hand_in("bob", {"task_1_1": f"{ANSWER} {SCRIPT}"}, hostile=True)
        self.place("eve").parent.mkdir(parents=True)
        self.place("eve").write_text("{}")  # is refused

    def place(self, student: str) -> Path:
        return self.handed_in / student / WEEK / f"{WEEK}.ipynb"

    def hand_in(self, student: str, answers: dict[str, str], hostile: bool = False) -> None:
        """Hand a notebook in, at a time, as nbgrader collects it."""
        notebook = nbformat.read(RELEASE, as_version=4)
        for cell in notebook.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            cell.source = answers.get(grade_id, cell.source)
            if hostile and cell.cell_type == "code":
                data = {"text/html": SCRIPT, "image/png": f'"><{SCRIPT}', "text/plain": "42"}
                cell.outputs = [nbformat.v4.new_output("display_data", data)]
        if hostile:
            notebook.cells.insert(0, nbformat.v4.new_markdown_cell(f"Hi {SCRIPT}"))
        self.place(student).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, self.place(student))
        (self.place(student).parent / "timestamp.txt").write_text(LATE[student])

    def grade(self, marks: Path | None = None) -> str:
        """Grade it into the gradebook; return what is printed."""
        files = ClassFiles(
            [self.handed_in], self.out, late=self.policy, marks=marks, gradebook=self.course
        )
        console = Console(file=io.StringIO(), width=100)
        assert not grade_class(COURSE, WEEK, files, Request(), console)  # for eve's is refused
        return console.file.getvalue()

    def row(self, student: str) -> dict[str, str]:
        """Return a student's line of the table of grades."""
        lines = csv.DictReader((self.out / "grades.csv").read_text("utf-8").splitlines())
        return next(line for line in lines if line["student"] == student)

    @contextlib.contextmanager
    def database(self) -> Iterator[Any]:
        with Database(f"sqlite:///{self.course}/gradebook.db") as database:
            yield database

    def grades(self, student: str) -> dict[str, dict[str, Any]]:
        """Return what nbgrader has of a student, by cell."""
        with self.database() as database:
            told = database.find_submission_notebook(WEEK, WEEK, student)
            return {one.name: one.to_dict() for one in told.grades}

    def comment(self, student: str, cell: str) -> str:
        """Return the comment that nbgrader has beside a cell."""
        with self.database() as database:
            return database.find_comment(cell, WEEK, WEEK, student).comment

    def give(self, student: str, cell: str, comment: str = "", **scores: float | None) -> None:
        """Mark an answer as formgrader does."""
        with self.database() as database:
            for name, score in scores.items():
                setattr(database.find_grade(cell, WEEK, WEEK, student), name, score)
            if comment:
                database.find_comment(cell, WEEK, WEEK, student).manual_comment = comment
            database.db.commit()


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Class:
    """A class that was graded once; tests that change it take a copy."""
    made = Class(tmp_path_factory.mktemp("gradebook"))
    made.grade()
    return made


@pytest.fixture
def fresh(graded: Class, tmp_path: Path) -> Iterator[Class]:
    """The graded class, as it was; put back afterwards, for paths are part of it."""
    root = graded.out.parent
    shutil.copytree(root, tmp_path / "kept")
    yield graded
    shutil.rmtree(root)
    shutil.copytree(tmp_path / "kept", root)


def test_points_and_messages_are_in_the_gradebook(graded: Class) -> None:
    grades = graded.grades("ada")
    assert grades["check_1_2"]["auto_score"] == 8
    assert grades["check_1_3"]["auto_score"] == 0
    assert grades["task_1_1"]["needs_manual_grade"]
    assert not grades["task_1_7_explain"]["needs_manual_grade"]  # is not attempted
    unknown = graded.grades("eve")["check_1_2"]
    assert unknown["auto_score"] is None
    assert unknown["needs_manual_grade"]
    assert graded.comment("ada", "task_1_3") == "This task was not attempted."
    with graded.database() as database:
        handed_in = database.find_submission(WEEK, "bob")
        assert handed_in.timestamp.isoformat() == "2026-03-02T11:00:00"


def test_the_same_once_more_changes_nothing(fresh: Class) -> None:
    before = [fresh.grades(name) for name in ("ada", "bob", "eve")]
    assert "0 marks taken" in fresh.grade()
    assert [fresh.grades(name) for name in ("ada", "bob", "eve")] == before


def test_what_formgrader_shows_holds_no_script_and_all_cells(graded: Class) -> None:
    released = [c.metadata.get("nbgrader") for c in nbformat.read(RELEASE, 4).cells]
    for student in ("ada", "bob", "eve"):
        path = graded.course / "autograded" / student / WEEK / f"{WEEK}.ipynb"
        text = path.read_text("utf-8")
        assert "<script" not in text
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
        own = [c.metadata.get("nbgrader") for c in notebook.cells]
        assert [one for one in own if one] == [one for one in released if one]
    notebook = nbformat.read(graded.course / f"autograded/ada/{WEEK}/{WEEK}.ipynb", 4)
    cells = {c.metadata.nbgrader.grade_id: c for c in notebook.cells if "nbgrader" in c.metadata}
    assert cells["task_1_1"].source == ANSWER
    assert cells["task_1_2"].source == BUILD
    assert cells["check_1_2"].outputs[0].text == "8 of 8 points, passed\n"


def test_marks_come_back(fresh: Class) -> None:
    fresh.give("ada", "task_1_1", "Well said.", manual_score=3.5)
    text = fresh.grade()
    assert "1 marks taken" in text
    assert "3 unchanged, results reused" in text
    assert fresh.row("ada")["1.1"] == "3.5"
    assert fresh.row("ada")["score"] == "11.5"
    page = next((fresh.out / "students").glob("ada*.html")).read_text("utf-8")
    assert "Well said." in page
    assert fresh.grades("ada")["task_1_1"]["manual_score"] == 3.5
    fresh.give("ada", "task_1_1", manual_score=None)  # it was a mistake
    fresh.grade()
    assert fresh.row("ada")["1.1"] == "0"


def test_extra_credit_and_corrections_come_back_once(fresh: Class) -> None:
    fresh.give("ada", "task_1_1", manual_score=4.0, extra_credit=0.5)
    fresh.give("ada", "check_1_3", manual_score=6.0)
    for _ in range(2):
        fresh.grade()
        assert fresh.row("ada")["1.1"] == "4.5"
        assert fresh.row("ada")["1.3"] == "6"
    page = next((fresh.out / "students").glob("ada*.html")).read_text("utf-8")
    assert "Corrected by a person to 6 points." in page


def test_a_comment_without_points_stays(fresh: Class) -> None:
    """Beside a task that was graded by itself, and beside one that still waits."""
    fresh.give("ada", "task_1_2", "Neat.")
    fresh.give("ada", "task_1_1", "Is that so?")
    for _ in range(2):
        fresh.grade()
        assert fresh.comment("ada", "task_1_2") == "Neat."
        assert fresh.comment("ada", "task_1_1") == "Is that so?"
        assert fresh.row("ada")["1.2"] == "8"
        assert fresh.row("ada")["pending_manual"] == "5"
    page = next((fresh.out / "students").glob("ada*.html")).read_text("utf-8")
    assert "A person says: Neat." in page
    assert "A person says: Is that so?" in page


def test_an_answer_that_changes_waits_again(fresh: Class) -> None:
    fresh.give("ada", "task_1_1", manual_score=5.0)
    fresh.grade()
    fresh.hand_in("ada", {"task_1_1": "On second thoughts: none.", "task_1_2": BUILD})
    fresh.grade()
    assert fresh.row("ada")["1.1"] == "0"
    grade = fresh.grades("ada")["task_1_1"]
    assert grade["manual_score"] is None
    assert grade["needs_manual_grade"]


def test_a_mark_of_an_old_answer_is_none_of_the_new_one(fresh: Class) -> None:
    """Marked between two rounds, when the student had handed in again already."""
    fresh.give("ada", "task_1_1", manual_score=5.0)
    fresh.hand_in("ada", {"task_1_1": "On second thoughts: none."})
    fresh.grade()
    assert fresh.row("ada")["1.1"] == "0"


def test_marks_of_a_table_and_of_formgrader_stand_together(fresh: Class) -> None:
    """The later one counts, whichever it is."""
    fresh.give("ada", "task_1_1", manual_score=1.0)
    fresh.grade()
    table = fresh.out / "written.csv"
    table.write_text(table.read_text("utf-8").replace("ada,1.1,5,1,", "ada,1.1,5,2,"), "utf-8")
    fresh.grade(marks=table)
    assert fresh.grades("ada")["task_1_1"]["manual_score"] == 2
    assert "0 marks taken" in fresh.grade()
    assert fresh.row("ada")["1.1"] == "2"
    fresh.give("ada", "task_1_1", manual_score=3.0)
    fresh.grade()
    assert fresh.row("ada")["1.1"] == "3"


def test_what_a_person_does_this_very_moment_stays(
    fresh: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marked after the marks were read, and before the gradebook is written."""
    read = Gradebook.marks

    def marks(*arguments: Any) -> Any:
        found = read(*arguments)
        fresh.give("ada", "task_1_1", "Just now.", manual_score=2.5)
        return found

    monkeypatch.setattr(Gradebook, "marks", marks)
    fresh.grade()
    monkeypatch.undo()
    fresh.grade()
    assert fresh.row("ada")["1.1"] == "2.5"
    assert fresh.comment("ada", "task_1_1") == "Just now."


def test_who_is_not_named_keeps_what_is_shown(fresh: Class) -> None:
    shown = fresh.course / "autograded/ada" / WEEK / f"{WEEK}.ipynb"
    before = nbformat.read(shown, 4)
    shutil.rmtree(fresh.handed_in / "ada")
    fresh.grade()
    after = nbformat.read(shown, 4)
    assert [cell.source for cell in after.cells] == [cell.source for cell in before.cells]


def test_nbgrader_exports_our_sums(fresh: Class) -> None:
    """What being late costs is a penalty there, so that its sums are ours."""
    fresh.give("bob", "task_1_1", manual_score=5.0)
    fresh.grade()
    assert fresh.row("bob")["final_score"] == "4.5"  # a day late
    done = run_afresh("export", cwd=fresh.course, program="nbgrader")
    assert done.returncode == 0, done.stderr
    lines = csv.DictReader((fresh.course / "grades.csv").read_text("utf-8").splitlines())
    sums = {line["student_id"]: float(line["score"]) for line in lines}
    assert sums == {"ada": 8.0, "bob": 4.5, "eve": 0.0}


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    assignment = load_assignment(COURSE, WEEK)
    (tmp_path / "nbgrader_config.py").write_text("1/0")
    with pytest.raises(CourseError, match=r"nbgrader_config.py: ZeroDivisionError"):
        Gradebook(tmp_path, COURSE, assignment)
    (tmp_path / "nbgrader_config.py").write_text("")
    (tmp_path / "gradebook.db").write_text("no database")
    with pytest.raises(CourseError, match=r"gradebook.db: .*not a database"):
        Gradebook(tmp_path, COURSE, assignment)


@pytest.mark.parametrize("name", ["ada", "ada@example.edu", "Lovelace, Ada", "../eve", ".x", "a "])
def test_ids_are_names_of_folders(name: str) -> None:
    assert "/" not in student_id(name)
    assert not student_id(name).startswith(".")
    assert student_id(name).strip() == student_id(name)
    assert (student_id(name) == name) == (name in ("ada", "ada@example.edu"))


@pytest.fixture
def formgrader(fresh: Class, tmp_path: Path) -> Iterator[str]:
    """The address of a server with formgrader, started in the course's folder."""
    own = {f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    options = "--no-browser --allow-root --IdentityProvider.token= --ServerApp.port=0".split()
    command = [sys.executable, "-m", "jupyter_server", *options]
    log = tmp_path / "server.log"
    with log.open("w") as file:
        server = subprocess.Popen(
            command, cwd=fresh.course, env=os.environ | own, stdout=file, stderr=file
        )
    try:
        until(lambda: list((tmp_path / "RUNTIME").glob("jpserver-*.json")), log.read_text)
        (told,) = (tmp_path / "RUNTIME").glob("jpserver-*.json")
        address = f"http://127.0.0.1:{json.loads(told.read_text())['port']}"
        until(lambda: answers(f"{address}/api"), log.read_text)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def answers(address: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
        return True
    return False


def until(happens: Callable[[], object], told: Callable[[], object]) -> None:
    """Wait for something, two minutes at most."""
    for _ in range(480):
        if happens():
            return
        time.sleep(0.25)
    raise AssertionError(told())


def test_an_answer_is_marked_in_formgrader(fresh: Class, formgrader: str) -> None:
    """In the browser, as a person does it: by the list, the answer, its points, a comment."""
    with chromium() as page:
        page.open(f"{formgrader}/formgrader/gradebook/{WEEK}/{WEEK}", 1200)
        text = functools.partial(page.value, "document.body.innerText")
        until(lambda: "Submission #3" in text(), text)
        with fresh.database() as database:
            number = database.find_submission_notebook(WEEK, WEEK, "ada").id
        page.open(f"{formgrader}/formgrader/submissions/{number}/", 1200)
        score = "document.querySelector('input.score#task_1_1')"
        comment = "document.querySelector('textarea#task_1_1-comment')"
        # The page fetches grades, and comments, and only then listens to what is typed.
        for place in ("document.querySelector('input.extra-credit')", comment):
            until(functools.partial(page.value, f"{place}.placeholder !== ''"), text)
        assert "they do not care" in text()
        page.value(f"$({score}).val('4').trigger('change'); true")
        page.value(f"$({comment}).val('Nice.').trigger('change'); true")
        until(lambda: fresh.grades("ada")["task_1_1"]["manual_score"] == 4, text)
        until(lambda: fresh.comment("ada", "task_1_1") == "Nice.", text)
    assert "1 marks taken" in fresh.grade()
    assert fresh.row("ada")["1.1"] == "4"
    page_of_ada = next((fresh.out / "students").glob("ada*.html")).read_text("utf-8")
    assert "By a person: 4 of 5 points. Nice." in page_of_ada
