"""Pages that people read: whole, safe, and fit for any screen and any reader."""

from __future__ import annotations

import datetime
import re
import stat
from pathlib import Path

import pytest
from browser_pages import Page, chromium

from detgrader.assignment import Assignment, Task
from detgrader.classroom.groups import groups_of
from detgrader.classroom.html import prose
from detgrader.classroom.outputs import Around, write_outputs
from detgrader.grading.results import (
    BatchResult,
    CheckResult,
    Lateness,
    Status,
    SubmissionResult,
    TaskResult,
)

HOSTILE = "</p><script>document.title='pwned'</script><img src=x onerror=alert(1)>{{ 7*7 }}"
LONG = "a_name_that_goes_on_" * 12
TASKS = (
    Task("1.1", "Add two numbers, however large they may be", 10.0, 0.0, (), ()),
    Task("1.2", LONG, 6.0, 0.0, (), ()),
    Task("1.3", "Say why", 0.0, 5.0, (), ()),
)
ASSIGNMENT = Assignment("week1_toy", {}, TASKS)
MESSAGE = (
    "`add` adds: `add`'s result is wrong in 12 of 40 elements.\n"
    f"The cell stopped with an error. {HOSTILE}\n"
    f"  task_1_1, line 3, in add: return first - second  # {LONG}\n"
    "… and 3 more.\nHint: Is that a `minus`?"
)


AT = datetime.datetime(2026, 12, 1, tzinfo=datetime.UTC)


def result(
    student: str, number: int, message: str = MESSAGE, status: Status = Status.PARTIAL
) -> SubmissionResult:
    checks = [CheckResult("t::a", "adds", Status.FAILED, message, "hidden 4711")] * bool(message)
    tasks = [
        TaskResult("1.1", TASKS[0].title, float(number % 11), 10.0, status, message, 1.5 * number),
        TaskResult("1.2", TASKS[1].title, 6.0, 6.0, Status.PASSED),
        TaskResult("1.3", TASKS[2].title, 0.0, 5.0, Status.MANUAL, pending_manual=5.0),
    ]
    return SubmissionResult(
        student, f"/home/staff/{student}.ipynb", "ab" * 32, tasks, checks={"1.1": checks}
    )


def a_class() -> BatchResult:
    results = [result(f"student{number:03}", number) for number in range(30)]
    alike = "`add` is wrong in {} of 40 elements."
    results += [result(f"alike{n}", n, alike.format(n), Status.FAILED) for n in range(3)]
    results += [result(HOSTILE, 3), result(LONG, 4)]
    results[1].late = Lateness(AT, AT, 2, 20.0)
    refused = result("refused", 0)
    refused.error, refused.checks = "The file is not JSON: line 1.", {}
    for task in refused.tasks:
        task.score, task.status = None, Status.SKIPPED
    unknown = result("unknown", 0, "")
    unknown.tasks[0].score, unknown.tasks[0].status = None, Status.GRADER_ERROR
    return BatchResult("week1_toy", "none", [*results, refused, unknown])


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    around = Around(lines=["missing, by the roster: eve"], nothing={"eve": "missing"})
    write_outputs(a_class(), folder, "secret", ASSIGNMENT, around)
    return folder


@pytest.fixture(scope="module")
def browser():
    with chromium() as page:
        yield page


def pages(out: Path) -> list[Path]:
    """Return staff's page, and of students' those that are unlike the others."""
    of_students = sorted((out / "students").glob("*.html"), key=lambda path: path.stat().st_size)
    named = [out / "students" / f"{name}.html" for name in ("alike0", "refused", "unknown")]
    return [out / "staff.html", *named, of_students[-1]]


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("look", ["light", "dark", "print"])
def test_pages_fit_and_hinder_nobody(out: Path, browser: Page, width: int, look: str) -> None:
    for path in pages(out):
        browser.complaints.clear()
        browser.open(path, width, dark=look == "dark", printed=look == "print")
        assert browser.value("document.documentElement.scrollWidth") <= width, path
        assert browser.value("document.querySelectorAll('h1').length") == 1
        assert browser.value("document.title") != "pwned"
        assert browser.value("document.querySelectorAll('script, img').length") == 0
        assert browser.violations() == [], path
        assert browser.complaints == [], path


def test_the_browser_would_see_a_fault(browser: Page, tmp_path: Path) -> None:
    path = tmp_path / "bad.html"
    path.write_text(
        "<body><div style='width: 900px'>wide</div><img src=data:><script>nowhere()</script>"
    )
    browser.complaints.clear()
    browser.open(path, 360)
    assert browser.value("document.documentElement.scrollWidth") > 360
    assert any("image-alt" in one for one in browser.violations())
    assert any("nowhere" in one for one in browser.complaints)


def test_pages_are_one_file_each_and_staffs_is_private(out: Path) -> None:
    for path in [out / "staff.html", *(out / "students").glob("*.html")]:
        text = path.read_text("utf-8")
        for word in ("<link", "src=", "@import", "url("):
            assert word not in text.replace("img src=x", "").replace("img-src", ""), (path, word)
    assert stat.S_IMODE((out / "staff.html").stat().st_mode) == 0o600


def test_a_students_page_says_what_is_theirs_to_know(out: Path) -> None:
    text = (out / "students/alike2.html").read_text("utf-8")
    for words in (
        "8 of 21 points",
        "5 points are still to be given by a person",
        "<code>add</code> is wrong in 2 of 40 elements.",
        "Graded without a sandbox",
        "alike2.ipynb",
    ):
        assert words in text, words
    for words in ("hidden 4711", "/home/staff", "secret"):
        assert words not in text, words
    refused = (out / "students/refused.html").read_text("utf-8")
    assert "could not be graded.</strong> The file is not JSON: line 1." in refused
    unknown = (out / "students/unknown.html").read_text("utf-8")
    assert "? of 21 points" in unknown
    assert "0 of 10" not in unknown


def test_staff_see_groups_of_equal_answers_and_how_to_make_a_mutant(out: Path) -> None:
    groups = groups_of("week1_toy", a_class().submissions)
    assert [(one.label, one.students) for one in groups] == [
        ("1.1", ("alike0", "alike1", "alike2"))
    ]
    text = (out / "staff.html").read_text("utf-8")
    assert "detgrader mutant week1_toy 1.1 /home/staff/alike0.ipynb NAME" in text
    for words in ("refused</a>: The file is not JSON", "missing, by the roster: eve"):
        assert words in text, words


def test_staff_see_what_each_student_has_what_waits_and_what_is_late(out: Path) -> None:
    text = " ".join((out / "staff.html").read_text("utf-8").split())
    row = text[text.index(">student001<", text.index("All students")) :].partition("</tr>")[0]
    cells = re.findall(r'<td class="number">(.*?)</td>', row)
    assert cells == ["7", "5", "−20 %", "5.6"]
    unknown = text[text.rindex(">unknown<") :].partition("</tr>")[0]
    assert re.findall(r'<td class="number">(.*?)</td>', unknown)[0] == "?"


def test_staff_see_of_how_many_a_tasks_share_is_known(out: Path) -> None:
    """Of 37 students, one was refused, and one has no result in the first task."""
    text = " ".join((out / "staff.html").read_text("utf-8").split())
    rows = [
        text[text.index(f'<th scope="row">{n} ') :].partition("</tr>")[0] for n in ("1.1", "1.2")
    ]
    shares = [re.findall(r'<td class="number">(.*?)</td>', row)[0] for row in rows]
    assert [share.partition("% of ")[2] for share in shares] == ["35", "36"]


def test_a_message_is_text_code_and_hints() -> None:
    assert [part.kind for part in prose(MESSAGE)] == ["text", "text", "code", "text", "hint"]
    assert [part.kind for part in prose("")] == []
    assert all("<script" not in part.html for part in prose(MESSAGE))


def test_the_table_has_all_students_and_no_formula(out: Path) -> None:
    lines = (out / "grades.csv").read_text("utf-8").splitlines()
    table = {line.split(",")[0]: line for line in lines}
    late = "handed_in,late_percent,final_score"
    assert lines[0] == f"student,score,max_score,pending_manual,{late},1.1,1.2,1.3,note"
    assert table["alike1"] == "alike1,7,21,5,,,,1,6,0,"
    assert table["refused"] == "refused,,21,5,,,,,,,The file is not JSON: line 1."
    assert table["unknown"] == "unknown,,21,5,,,,,6,0,not graded: 1.1"
    assert table["eve"] == "eve,,,,,,,,,,missing"
