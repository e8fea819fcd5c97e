"""Late submissions: the rule is applied as it is written, by times that can be told."""

from __future__ import annotations

import datetime
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from detgrader.classroom.late import Policy, read_policy, remarks_on, with_lateness
from detgrader.classroom.layouts import Weeks, read_layout
from detgrader.classroom.reports import write_reports
from detgrader.classroom.tables import grades_table
from detgrader.classroom.times import commit_time, moment
from detgrader.course import CourseError
from detgrader.grading.results import BatchResult, Status, SubmissionResult, TaskResult

DEADLINE = datetime.datetime.fromisoformat("2026-12-01T23:59:00+01:00")
WEEKS = Weeks("week1_toy")
RULE = """
deadline = 2026-12-01T23:59:00+01:00
grace_minutes = 15
percent_a_day = 10
hard_end = 2026-12-04T23:59:00+01:00
[extensions]
ada = 2026-12-03T23:59:00+01:00
"""


def after(**delta: float) -> datetime.datetime:
    return DEADLINE + datetime.timedelta(**delta)


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    (tmp_path / "late.toml").write_text(RULE, "utf-8")
    return read_policy(tmp_path / "late.toml")


@pytest.mark.parametrize(
    ("student", "at", "days", "percent"),
    [
        ("bob", after(hours=-1), 0, 0),
        ("bob", after(minutes=15), 0, 0),
        ("bob", after(minutes=16), 1, 10),
        ("bob", after(hours=24), 1, 10),
        ("bob", after(hours=24, seconds=1), 2, 20),
        ("bob", after(days=3), 3, 30),
        ("bob", after(days=3, seconds=1), 4, 100),
        ("bob", None, 0, 0),
        ("ada", after(days=2), 0, 0),
        ("ada", after(days=2, hours=1), 1, 10),
        ("ada", after(days=4), 2, 100),
    ],
)
def test_each_day_that_has_begun_costs(policy, student, at, days, percent) -> None:
    late = policy.lateness(student, at)
    assert (late.days, late.percent) == (days, percent)


def test_no_rule_takes_more_than_there_is() -> None:
    rule = Policy(DEADLINE, percent_a_day=40)
    assert rule.lateness("bob", after(days=9)).percent == 100


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it lacks `deadline"),
        ("deadline = 2026-12-01T23:59:00", "deadline must be a time with its zone"),
        ("deadline = 5", "deadline must be a time with its zone"),
        (RULE + "bob = 2026-12-03", "bob must be a time"),
        ("deadlin = 5", "unknown key `deadlin`"),
        (RULE.replace("= 10", "= -1"), "`percent_a_day` must be a number"),
        ("deadline =", "Invalid value"),
        (RULE.replace("grace", 'times = "none.csv"\ngrace'), "none.csv cannot be read"),
    ],
)
def test_a_rule_that_is_not_understood_is_told(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "late.toml").write_text(text, "utf-8")
    with pytest.raises(CourseError, match=says):
        read_policy(tmp_path / "late.toml")


def test_staffs_own_times_come_before_records(tmp_path: Path) -> None:
    (tmp_path / "times.csv").write_text("student,time\nbob,2026-12-02T12:00:00+01:00\n", "utf-8")
    (tmp_path / "late.toml").write_text(RULE.replace("grace", 'times = "times.csv"\ngrace'))
    results = [result("ada"), result("bob"), result("cy", None)]
    batch = BatchResult("week1_toy", "bubblewrap", results)
    records = {"ada": after(days=-1), "bob": after(days=-1)}
    ada, bob, cy = with_lateness(batch, read_policy(tmp_path / "late.toml"), records).submissions
    assert [one.final_score for one in (ada, bob, cy)] == [10, 9, None]
    assert [one.score for one in (ada, bob, cy)] == [10, 10, None]
    assert "not known when this was handed in" in str(cy.late)
    (tmp_path / "times.csv").write_text("student,time\nbob,noon\n", "utf-8")
    with pytest.raises(CourseError, match=r"times.csv:2: 'noon' is no time"):
        read_policy(tmp_path / "late.toml")


def result(student: str, score: float | None = 10.0) -> SubmissionResult:
    return SubmissionResult(
        student, "x", "ab", [TaskResult("1.1", "Add", score, 10.0, Status.PARTIAL)]
    )


def test_every_output_says_what_being_late_costs(policy: Policy, tmp_path: Path) -> None:
    late = policy.lateness("bob", after(hours=25))
    batch = BatchResult("week1_toy", "bubblewrap", [replace(result("bob"), late=late)])
    written = write_reports(batch, tmp_path, "secret")
    (bob,) = json.loads(written.results.read_text("utf-8"))["submissions"]
    assert (bob["score"], bob["final_score"], bob["late"]["percent"]) == (10, 8, 20)
    scope = json.loads((written.gradescope / "bob.json").read_text("utf-8"))
    assert scope["score"] == 8
    assert "on day 2 after the deadline: 20 % of the points are taken off" in scope["output"]
    head, line = grades_table(batch, {}).splitlines()
    assert head.split(",")[4:7] == ["handed_in", "late_percent", "final_score"]
    assert line.split(",")[4:7] == ["2026-12-03T00:59:00+01:00", "20", "8"]


def test_names_that_nobody_bears_and_times_that_nobody_knows_are_told(policy: Policy) -> None:
    students = [SubmissionResult(name, f"{name}.ipynb", "ab" * 32, []) for name in ("bob", "cy")]
    batch = BatchResult("week1_toy", "bubblewrap", students)
    words = list(remarks_on(policy, with_lateness(batch, policy, {"bob": after(hours=-1)})))
    assert words[0] == "the late rule's extensions: there is no submission of ada"
    assert words[1].startswith("when 1 of 2 were handed in is not known, so nothing is taken off")
    known = {"bob": after(hours=1), "cy": after(hours=1)}
    rule = replace(policy, extensions={})
    assert not list(remarks_on(rule, with_lateness(batch, rule, known)))


def test_after_the_hard_end_it_is_said_so_and_not_as_a_day(policy: Policy) -> None:
    late = policy.lateness("bob", after(days=3, seconds=1))
    assert late.ended
    assert "after the last moment at which anything counts: no points" in str(late)
    assert not policy.lateness("bob", after(days=3)).ended
    # Who may hand in later than that is not late then.
    assert not policy.lateness("ada", after(days=1)).ended


def test_nbgraders_and_gradescopes_records_are_read(tmp_path: Path) -> None:
    place = tmp_path / "class" / "ada" / WEEKS.name
    place.mkdir(parents=True)
    (place / f"{WEEKS.name}.ipynb").touch()
    (place / "timestamp.txt").write_text("2026-12-01 22:30:00.5 UTC\n")
    (ada,) = read_layout(tmp_path / "class", WEEKS).hand_ins
    assert ada.time_of(ada.files[0]) == moment("2026-12-01T22:30:00.5+00:00")
    (tmp_path / "export/submission_1").mkdir(parents=True)
    (tmp_path / "export/submission_1/a.ipynb").touch()
    about = "submission_1:\n  :created_at: 2026-12-01 23:30:00 +01:00\n  :submitters: []\n"
    (tmp_path / "export/submission_metadata.yml").write_text(about)
    (one,) = read_layout(tmp_path / "export", WEEKS).hand_ins
    assert one.time_of(one.files[0]) == moment("2026-12-01T22:30:00+00:00")


def clone_in(folder: Path) -> Path:
    """Make a repository with a commit of a known time."""
    folder.mkdir(parents=True)
    (folder / "a.ipynb").touch()
    env = {f"GIT_{who}_{what}": text for who in ("AUTHOR", "COMMITTER") for what, text in WHO}
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "done"]):
        subprocess.run(
            ["git", "-c", "commit.gpgsign=false", *words], cwd=folder, check=True, env=env | PATH
        )
    return folder


WHO = (("NAME", "Ada"), ("EMAIL", "ada@x"), ("DATE", "2026-12-02T12:00:00+00:00"))
PATH = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": "/nonexistent"}


@pytest.mark.parametrize("packed", [False, True])
def test_a_clones_commit_is_read_and_nothing_of_it_runs(tmp_path: Path, packed: bool) -> None:
    clone = clone_in(tmp_path / "class" / "week1-toy-ada")
    if packed:
        subprocess.run(["git", "gc", "-q"], cwd=clone, check=True, env=PATH)
        subprocess.run(["git", "pack-refs", "--all"], cwd=clone, check=True, env=PATH)
    canary = tmp_path / "canary"
    with (clone / ".git/config").open("a") as config:
        config.write(f'[core]\nfsmonitor = "touch {canary}"\npager = "touch {canary}"\n')
        config.write(f'[log]\nshowSignature = true\n[gpg]\nprogram = "touch {canary}"\n')
    (ada,) = read_layout(tmp_path / "class", WEEKS).hand_ins
    assert ada.student == "ada"
    assert ada.time_of(clone / "a.ipynb") == moment("2026-12-02T12:00:00+00:00")
    assert not canary.exists()


@pytest.mark.parametrize(
    "head", ["", "ref: refs/../../secret", "ref: refs/heads/none", "f" * 40, "\0", "ref: x"]
)
def test_a_head_that_leads_nowhere_is_no_time(tmp_path: Path, head: str) -> None:
    clone = clone_in(tmp_path / "ada")
    (clone / ".git/HEAD").write_text(head)
    assert commit_time(clone / ".git") is None
