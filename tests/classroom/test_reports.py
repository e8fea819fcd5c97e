"""Promises about the files of a batch: whose they are, and that old ones go."""

from __future__ import annotations

import io
import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from detgrader.classroom.reports import write_reports
from detgrader.classroom.terminal import print_class, print_submission
from detgrader.grading.results import BatchResult, Status, SubmissionResult, TaskResult


def batch_of(*names: str) -> BatchResult:
    tasks = [TaskResult("1.1", "Add", 1, 2, Status.PARTIAL)]
    return BatchResult(
        "week1", "bubblewrap", [SubmissionResult(n, "x", None, tasks) for n in names]
    )


def test_the_staffs_log_is_private_even_where_new_files_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = write_reports(batch_of("ada"), tmp_path, "secret")
    assert stat.S_IMODE(written.log.stat().st_mode) == 0o600
    assert "secret" in written.log.read_text("utf-8")
    others = (written.results, written.junit, written.gradescope / "ada.json")
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o644 for path in others)


def test_files_of_students_who_are_no_longer_there_go(tmp_path: Path) -> None:
    write_reports(batch_of("ada", "bob"), tmp_path, "one")
    written = write_reports(batch_of("bob", "eve"), tmp_path, "two")
    assert {path.name for path in written.gradescope.iterdir()} == {"bob.json", "eve.json"}


def test_what_could_not_be_graded_is_nowhere_a_zero(tmp_path: Path) -> None:
    tasks = [
        TaskResult("1.1", "Add", 1, 2, Status.PARTIAL),
        TaskResult("1.2", "Sort", None, 3, Status.GRADER_ERROR, "This could not be graded."),
    ]
    batch = BatchResult("week1", "bubblewrap", [SubmissionResult("ada", "x", "ab", tasks)])
    written = write_reports(batch, tmp_path, "one")
    (ada,) = json.loads(written.results.read_text("utf-8"))["submissions"]
    assert (ada["score"], [task["score"] for task in ada["tasks"]]) == (None, [1, None])
    scope = json.loads((written.gradescope / "ada.json").read_text("utf-8"))
    assert (scope["score"], [test["score"] for test in scope["tests"]]) == (None, [1, None])
    assert "could be graded yet" in scope["output"]
    assert '"? of 3 points. This could not be graded."' in written.junit.read_text("utf-8")
    console = Console(file=io.StringIO(), width=80)
    print_submission(console, batch.submissions[0], "bubblewrap")
    print_class(console, batch)
    heading, table = console.file.getvalue().split("week1: points of 5")
    assert "ada: ? of 5 points, 1.2 not graded" in heading
    assert table.split()[-4:] == ["ada", "?", "1", "?"]


@pytest.mark.parametrize("isolation", ["bubblewrap", "none"])
def test_every_output_says_whether_there_was_a_sandbox(isolation: str, tmp_path: Path) -> None:
    batch = replace(batch_of("ada"), isolation=isolation)
    written = write_reports(batch, tmp_path, "one")
    console = Console(file=io.StringIO(), width=80)
    print_submission(console, batch.submissions[0], isolation)
    print_class(console, batch)
    shown = console.file.getvalue()
    told = json.loads((written.gradescope / "ada.json").read_text("utf-8"))
    assert told["extra_data"]["isolation"] == isolation
    assert f'<property name="isolation" value="{isolation}"' in written.junit.read_text("utf-8")
    warned = isolation == "none"
    assert ("without a sandbox" in told["output"]) == warned
    assert ("without a sandbox" in shown, "(isolation: none)" in shown) == (warned, warned)
