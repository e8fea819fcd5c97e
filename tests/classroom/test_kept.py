"""A folder of results: one week's, one grader's at a time, and nothing in it is ever lost."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from detgrader.classroom.kept import CannotKeep, Kept, file_name, kept_in
from detgrader.course import CourseError
from detgrader.grading.results import CheckResult, Status, SubmissionResult, TaskResult

WEEK = "week1"
INPUTS = {"notebook": "1", "checks": "1"}


def result_of(student: str, score: float | None = 1.0) -> SubmissionResult:
    status = Status.GRADER_ERROR if score is None else Status.PARTIAL
    checks = {"1.1": [CheckResult("a::b", "adds", Status.FAILED, "is wrong", "expected 3")]}
    task = TaskResult("1.1", "Add", score, 2.0, status, "is wrong", 0.5, 1.0, 20)
    settings = {"isolation": "bubblewrap", "checks": checks, "log": ["1.1: ü"]}
    return SubmissionResult(student, "x.ipynb", "ab", [task], **settings)


def test_what_is_kept_is_read_again_as_it_was(tmp_path: Path) -> None:
    with kept_in(tmp_path / "out", WEEK) as kept:
        kept.begin("secret")
        kept.keep(INPUTS, "costly", result_of("ada"))
    with kept_in(tmp_path / "out", WEEK) as kept:
        record = kept.current("ada")
        assert kept.secret == "secret"
    assert record
    assert record.result == result_of("ada")
    assert (record.inputs, record.left_out) == (INPUTS, "costly")


def test_a_list_that_was_named_once_counts_on(tmp_path: Path) -> None:
    rule = tmp_path / "late.toml"
    rule.touch()
    with kept_in(tmp_path / "out", WEEK) as kept:
        assert kept.list_named("late", rule) == rule
        assert kept.list_named("roster", None) is None
        kept.begin("secret")
    with kept_in(tmp_path / "out", WEEK) as kept:
        assert kept.list_named("late", None) == rule
        rule.unlink()
        with pytest.raises(CourseError, match="named as --late, is not there"):
            kept.list_named("late", None)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    with kept_in(tmp_path, WEEK) as kept:
        for score in (1.0, 2.0):
            kept.keep({**INPUTS, "notebook": str(score)}, "", result_of("ada", score))
    with kept_in(tmp_path, WEEK) as kept:
        assert [one.result.score for one in kept.history["ada"]] == [1, 2]
        assert kept.batch().submissions[0].score == 2


def test_a_failure_of_the_grader_does_not_take_the_place_of_a_result(tmp_path: Path) -> None:
    with kept_in(tmp_path, WEEK) as kept:
        kept.keep(INPUTS, "", result_of("ada", 1.0))
        kept.keep(INPUTS, "", result_of("ada", None))
        assert kept.batch().submissions[0].score == 1
        # Of another notebook it does: the older one's points are not the newer one's.
        kept.keep({**INPUTS, "notebook": "2"}, "", result_of("ada", None))
        assert kept.batch().submissions[0].score is None


def test_the_class_is_whole_whoever_was_graded_last(tmp_path: Path) -> None:
    with kept_in(tmp_path, WEEK) as kept:
        for student in ("cy", "ada", "bob"):
            kept.keep(INPUTS, "", result_of(student))
        names = [one.student for one in kept.batch(first=["bob"]).submissions]
    assert names == ["bob", "ada", "cy"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 1}', '{"schema": 9}', "\x00\xff"])
def test_a_damaged_record_is_none(tmp_path: Path, text: str) -> None:
    with kept_in(tmp_path, WEEK) as kept:
        kept.keep(INPUTS, "", result_of("ada"))
        kept.keep(INPUTS, "", result_of("ada"))
        (tmp_path / "kept/students/ada/0002.json").write_text(text, "latin-1")
    with kept_in(tmp_path, WEEK) as kept:
        assert len(kept.history["ada"]) == 1
        kept.keep(INPUTS, "", result_of("ada"))
    assert (tmp_path / "kept/students/ada/0003.json").exists()


def test_what_a_killed_run_was_writing_goes(tmp_path: Path) -> None:
    with kept_in(tmp_path, WEEK) as kept:
        kept.keep(INPUTS, "", result_of("ada"))
        stale = tmp_path / "kept/students/ada/.0002.json.abc.part"
        stale.write_text("{")
    with kept_in(tmp_path, WEEK) as kept:
        assert not stale.exists()
        assert len(kept.history["ada"]) == 1


def test_another_week_has_another_folder(tmp_path: Path) -> None:
    with kept_in(tmp_path, WEEK) as kept:
        kept.begin("secret")
    with pytest.raises(CourseError, match="holds the results of week1"), kept_in(tmp_path, "week2"):
        pass


def test_results_from_elsewhere_are_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text("older")
    with pytest.raises(CourseError, match=r"holds a results.json from elsewhere"):
        kept_in(tmp_path, WEEK).__enter__()
    assert (tmp_path / "results.json").read_text() == "older"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(CourseError, match="is not a folder"):
        kept_in(tmp_path / "out", WEEK).__enter__()
    with pytest.raises(CourseError, match="cannot be written: Not a directory"):
        kept_in(tmp_path / "out" / "below", WEEK).__enter__()


HOLDS = """
import sys
from pathlib import Path
from detgrader.classroom.kept import kept_in
with kept_in(Path(sys.argv[1]), "week1"):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_a_folder_is_one_graders_at_a_time_and_free_when_it_dies(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(CourseError, match="another detgrader is grading into"):
            kept_in(tmp_path, WEEK).__enter__()
    finally:
        holder.kill()
        holder.communicate()
    with kept_in(tmp_path, WEEK):
        pass


def test_too_little_space_is_told_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage(1, 1, 1 << 20))
    with pytest.raises(CourseError, match="has 1 MiB left"):
        kept_in(tmp_path, WEEK).__enter__()


def test_a_result_that_cannot_be_written_is_told_and_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with kept_in(tmp_path, WEEK) as kept:
        kept.keep(INPUTS, "", result_of("ada"))
        with monkeypatch.context() as patch:
            patch.setattr("tempfile.mkstemp", full)
            with pytest.raises(CannotKeep, match=r"No space left on device. What was graded"):
                kept.keep(INPUTS, "", result_of("bob"))
        assert list(Kept(tmp_path, WEEK).history) == ["ada"]


def test_a_students_file_is_theirs_alone_on_any_disk() -> None:
    names = ["ada", "Ada", "ADA", "a/da", "a_da", "..", ".ada", "", "x" * 200, "x" * 201, "ü" * 99]
    files = [file_name(name) for name in names]
    assert len({file.casefold() for file in files}) == len(names)
    assert file_name("ada") == "ada"
    for file in files:
        assert "/" not in file
        assert not file.startswith(".")
        assert len(file.encode()) < 120
