"""What may go wrong around a grading: nothing that was kept is lost, and nobody is told a lie."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from detgrader.classroom.kept import kept_in
from detgrader.classroom.reports import write_reports
from detgrader.course import Course
from detgrader.grading.results import Status, SubmissionResult, TaskResult
from detgrader.sandbox.host import bwrap_programs

WEEK = "week1"
CLASS = 40
KILLS = 50


def result_of(number: int) -> SubmissionResult:
    tasks = [TaskResult("1.1", "Add", float(number), 50.0, Status.PARTIAL, "is wrong " * 200)]
    return SubmissionResult(f"s{number:02}", "x", "ab", tasks, isolation="bubblewrap")


def grade_in(out: Path) -> None:
    """Keep what is not there yet, and write all files: what a round does around the grading."""
    with kept_in(out, WEEK) as kept:
        kept.begin("secret")
        for number in range(CLASS):
            if kept.current(f"s{number:02}") is None:
                kept.keep({"notebook": str(number)}, "", result_of(number))
        write_reports(kept.batch(), out, kept.secret)


def files_in(out: Path) -> dict[str, bytes]:
    """Return what people and programs read."""
    files = [path for path in out.rglob("*") if path.is_file() and "kept" not in path.parts]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def test_fifty_kills_at_random_moments_change_nothing(tmp_path: Path) -> None:
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    began = time.monotonic()
    grade_in(undisturbed)
    whole = time.monotonic() - began
    chance = random.Random(7)
    context = multiprocessing.get_context("fork")
    killed = 0
    for _ in range(KILLS):
        process = context.Process(target=grade_in, args=(disturbed,))
        process.start()
        # The first ones keep results, later ones write files and read what is there.
        process.join(chance.random() * whole / 4)
        killed += process.is_alive()
        process.kill()
        process.join()
        for path in disturbed.rglob("*.json"):
            if not path.name.startswith("."):
                assert path.read_bytes().endswith(b"}\n"), path  # whole, or not there
    assert killed > KILLS / 4
    grade_in(disturbed)
    assert files_in(disturbed) == files_in(undisturbed)
    kept = [path for path in (disturbed / "kept/students").rglob("*") if path.is_file()]
    assert len(kept) == CLASS  # nothing half written is left, and none was graded twice


FILLS = """
import sys
from pathlib import Path
from detgrader.classroom import kept as keeping
from test_faults import grade_in
keeping.NEEDED_BYTES = 0
out = Path(sys.argv[1])
(out / "filler").write_bytes(bytes(700_000))
try:
    grade_in(out)
except keeping.CannotKeep as error:
    print(error)
print(len(list((out / "kept/students").rglob("0*.json"))))
(out / "filler").unlink()
grade_in(out)
print(len(list((out / "kept/students").rglob("0*.json"))), len(list(out.glob("*.json"))))
"""


def in_bwrap(*options: object, command: list[object]) -> subprocess.CompletedProcess[str]:
    """Run a command with other mounts."""
    words = [bwrap_programs()[-1], "--dev-bind", "/", "/", *options, "--", *command]
    return subprocess.run(
        list(map(str, words)), capture_output=True, text=True, check=False, timeout=120
    )


def test_a_full_disk_is_told_and_the_next_run_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    # Some 100 kB beside the filler are enough for half of the class.
    done = in_bwrap(
        *("--size", 800_000, "--tmpfs", out, "--setenv", "PYTHONPATH", Path(__file__).parent),
        command=[sys.executable, "-c", FILLS, out],
    )
    assert done.returncode == 0, done.stderr
    message, before, after = done.stdout.splitlines()
    assert "No space left on device. What was graded before is kept" in message
    assert 0 < int(before) < CLASS
    assert after == f"{CLASS} 1"


def test_a_folder_that_cannot_be_written_is_told_first(tmp_path: Path) -> None:
    course = Course.find()
    (week, *_) = course.weeks()
    out = tmp_path / "out"
    out.mkdir()
    grading = [sys.executable, "-m", "detgrader", "grade", week, course.release(week)]
    done = in_bwrap("--ro-bind", out, out, command=[*grading, "--out", out])
    assert done.returncode == 2, done.stderr
    assert "out cannot be written: Read-only file system" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not os.listdir(out)


def test_a_folder_that_goes_away_is_told(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with kept_in(out, WEEK) as kept:
        kept.begin("secret")
        shutil.rmtree(out)
        out.touch()  # something else has taken its place
        with pytest.raises(Exception, match="What was graded before is kept"):
            kept.keep({}, "", result_of(1))
