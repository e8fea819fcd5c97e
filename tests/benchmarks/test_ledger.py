"""The benchmarks' ledger: what a run leaves there, and what it says of the runs before."""

import dataclasses
import importlib
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("ledger")


@pytest.fixture
def compare(ledger: ModuleType) -> ModuleType:
    return importlib.import_module("compare")


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """An empty ledger in a repository of its own, with one commit."""
    (tmp_path / "code.py").write_text("x = 1\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "code.py")
    author = ("-c", "user.name=a", "-c", "user.email=a@b")
    git(tmp_path, *author, "commit", "--quiet", "-m", "code")
    return tmp_path / "ledger.jsonl"


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def runs_of(ledger: ModuleType, ratios: Sequence[float], **others: object) -> list:
    """Make runs with one ratio each, on the same machine."""
    plain = ledger.Run(
        benchmark="detection",
        commit="abc1234",
        date="2026-01-01 00:00",
        processor="Z80",
        cores=2,
        python="3.11.7",
        torch="2.15.0",
        load=0.5,
        settings={},
        rounds=7,
        ratios={},
        figures={},
    )
    return [dataclasses.replace(plain, ratios={"loss": one}, **others) for one in ratios]


def verdict(ledger: ModuleType, ratios: Sequence[float]) -> str:
    return compared(ledger, runs_of(ledger, ratios)).verdict


def compared(ledger: ModuleType, runs: list):
    """Compare the last run's one ratio."""
    *others, last = runs
    [change] = ledger.changes(last, ledger.runs_like(last, others))
    return change


def test_a_run_is_a_line_that_reads_as_it_was(ledger: ModuleType, book: Path) -> None:
    first = ledger.append("ssd300", 7, {"loss ÷": 1.63456}, {"loss": 0.00981}, book, threads=2)
    second = ledger.append("detection", 15, {}, {}, book)
    assert ledger.read(book) == [first, second]
    assert len(book.read_text("utf-8").splitlines()) == 2
    assert (first.ratios, first.figures) == ({"loss ÷": 1.635}, {"loss": 0.00981})
    assert (first.rounds, first.settings, second.settings) == (7, {"threads": 2}, {})
    assert first.cores >= 1
    assert first.processor


def test_the_commit_has_a_plus_when_code_was_changed(ledger: ModuleType, book: Path) -> None:
    commit = git(book.parent, "rev-parse", "--short", "HEAD")
    (book.parent / "notes.txt").write_text("not tracked\n")
    assert ledger.append("detection", 3, {}, {}, book).commit == commit
    git(book.parent, "add", book.name)  # now tracked, and changed by the next run
    assert ledger.append("detection", 3, {}, {}, book).commit == commit
    (book.parent / "code.py").write_text("x = 2\n")
    assert ledger.append("detection", 3, {}, {}, book).commit == f"{commit}+"


def test_a_line_that_is_no_run_is_told(ledger: ModuleType, book: Path) -> None:
    ledger.append("detection", 3, {}, {}, book)
    with book.open("a") as file:
        file.write("<<<<<<< HEAD\n")
    with pytest.raises(ValueError, match=r"ledger\.jsonl, line 2, is no run"):
        ledger.read(book)


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ([10.0], "new"),
        ([10.1, 5.3], "worse"),  # after a single run, too
        ([10.0, 9.0], ""),  # two runs may differ by this, as far as one knows
        ([10, 10.1, 9.9, 10, 10.1, 9.3], "worse"),  # quiet runs, so 8 % is much
        ([10, 10, 10, 10, 9.7], ""),  # too little to act on, however quiet the runs
        ([10, 11, 9.5, 10.6, 9.6, 10.5, 9.3], ""),  # as restless as ever
        ([5, 5.1, 5, 5.1, 12, 6], "worse"),  # a step up is no noise, and then no usual value
        ([5, 5.1, 5, 5.1, 12], "better"),
        ([10, 10.1, 10, 10.1, 6, 6.1], "worse"),  # still, though like the run before
        ([12, 11.8, 11.6, 11.4, 11.2, 11, 10.8, 10.6, 10.4], "worse"),  # little by little
    ],
)
def test_the_verdict(ledger: ModuleType, ratios: list[float], expected: str) -> None:
    assert verdict(ledger, ratios) == expected


def test_other_machines_and_settings_say_nothing(ledger: ModuleType) -> None:
    here = runs_of(ledger, [10.0, 10.0])
    for other in ({"processor": "6502"}, {"cores": 64}, {"settings": {"threads": 2}}):
        strangers = runs_of(ledger, [20.0] * 3, **other)
        assert compared(ledger, [here[0], *strangers, here[1]]).before == [10.0]
    older = runs_of(ledger, [20.0], torch="2.14.0", rounds=3)
    assert compared(ledger, [*older, here[0]]).before == [20.0]


def test_the_command_says_plainly_what_got_worse(
    compare: ModuleType, ledger: ModuleType, tmp_path: Path, monkeypatch, capsys
) -> None:
    book = tmp_path / "ledger.jsonl"
    monkeypatch.setattr(compare, "LEDGER", book)
    with pytest.raises(SystemExit, match="there is no"):
        compare.main()
    for ratio in (10.1, 10.0):
        ledger.append("grading", 1, {"nbgrader": ratio}, {}, book)
    ledger.append("detection", 3, {"loss": 2.0}, {}, book)
    compare.main()
    assert "Nothing is worse" in capsys.readouterr().out
    ledger.append("grading", 1, {"nbgrader": 5.3}, {}, book)
    compare.main()
    told = capsys.readouterr().out
    assert told.count("worse") == 1
    assert told.splitlines()[-2:] == [
        "Worse by more than the noise of earlier runs:",
        "grading, nbgrader: 5.30, 10.00 in the run before, 10.05 usually",
    ]
