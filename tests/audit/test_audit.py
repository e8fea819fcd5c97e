"""Audits of a toy week, graded for real: what is wrong is said, and nothing is graded twice."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest
import torch
from attacks.grading import hand_in
from attacks.notebooks import cell_of
from attacks.toys import WEEK
from audit.toys import CHECKS, MUTANTS, VARIANTS, Graded, audited, build, edit, mutant, overlay

from detgrader.audit import soundness, told
from detgrader.audit.audit import SECRET, several
from detgrader.audit.cases import Kind, Selection
from detgrader.audit.junk import TELLING
from detgrader.audit.verdicts import Audit, Problem
from detgrader.audit.words import staff_log
from detgrader.course import Course
from detgrader.grading.session import CheckSession

DOUBLED = "def doubled(number):\n    return 3 * number"
ODD = "def rank(scores):\n    return {'best': 0, 'order': [0], 'odd': 1}"
FILES = {
    # Right as far as anybody looks.
    f"{MUTANTS}/survivor.py": mutant("1.1", "LIMIT = 3", does="nothing wrong"),
    # Costs points of the next task, besides its own.
    f"{MUTANTS}/costs_others.py": mutant(
        "1.1", f"{DOUBLED}\n\n\ndef add(first, second):\n    return 0"
    ),
    f"{MUTANTS}/breaks_a_check.py": mutant("1.4", ODD),
    f"{MUTANTS}/ranks_backwards.py": mutant(
        "1.4",
        "def rank(scores):\n    order = sorted(range(len(scores)), key=lambda n: scores[n])\n"
        "    return {'best': order[0], 'order': order}",
    ),
    f"{MUTANTS}/ends.py": mutant(
        "1.2", "import time\n\n\ndef scale(boxes, factor):\n    time.sleep(4)"
    ),
    f"{VARIANTS}/backwards.py": overlay(
        "1.1", "def add(first, second):\n    return second + first"
    ),
    f"{VARIANTS}/wrong_after_all.py": overlay(
        "1.1", "def add(first, second):\n    return first + abs(second)"
    ),
}
# A check that takes an answer for what it should be.
FAULT = 'expect_equal(expect_int(answer["best"]'


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    course = build(tmp_path_factory.mktemp("audited") / "course", FILES)
    faulty = f'assert "odd" not in answer or answer["even"]\n    {FAULT}'
    edit(course, f"{CHECKS}/test_1_4.py", FAULT, faulty)
    released = json.loads(course.release(WEEK).read_text("utf-8"))
    cell_of(released, "task_1_3")["source"] += "\n\ndef fit(net, inputs, targets):\n    net.bias"
    edit(course, f"{CHECKS}/test_1_3.py", "def test_fit", EASY)
    hand_in(released, course.release(WEEK))
    return course


EASY = '''\
def test_ends(student, rng):
    """It ends."""
    net, zero = mirror(student, nn.Linear(1, 1)), torch.zeros(1, 1)
    student.fit(net=net, inputs=zero, targets=zero)


def test_fit'''


@pytest.fixture(scope="module")
def graded() -> Graded:
    return Graded()


@pytest.fixture(scope="module")
def audit(course: Course, graded: Graded) -> Audit:
    return audited(course, graded)


def problems_of(audit: Audit, name: str) -> dict[str, Problem]:
    """Return what is wrong with a submission, by task."""
    return {one.task: one for one in audit.problems if one.overlay == name}


def test_what_is_as_it_must_be_is_no_problem(audit: Audit) -> None:
    assert {one.overlay for one in audit.problems} == {
        *("survivor", "costs_others", "breaks_a_check", "wrong_after_all", "stub")
    }
    assert not audit.clean
    assert (audit.share(Kind.REFERENCE), audit.share(Kind.STUB)) == (100, 10)
    ends = next(one for one in audit.verdicts if one.case.name == "ends")
    assert ends.records["1.2"].ended


def test_a_mutant_that_survives_says_what_it_does(audit: Audit) -> None:
    (problem,) = problems_of(audit, "survivor").values()
    assert (problem.task, problem.what) == ("1.1", "survives: nothing wrong")
    assert problem.checks == ()


def test_a_mutant_that_costs_another_tasks_points_is_rejected(audit: Audit) -> None:
    problems = problems_of(audit, "costs_others")
    assert set(problems) == {"1.2"}
    problem = problems["1.2"]
    assert problem.what == "loses 30 of 30 points"
    assert "`scale`'s result is wrong in 12 of 12 elements" in problem.message
    (check,) = problem.checks
    assert check.key == "test_1_2.py::test_scale"
    assert check.message in problem.message
    assert "expected" in check.detail
    assert check.detail not in problem.message


def test_a_check_that_breaks_says_where(audit: Audit) -> None:
    (problem,) = problems_of(audit, "breaks_a_check").values()
    assert (problem.task, problem.what) == ("1.4", "a check broke")
    assert "the fault is not yours" in problem.message
    (check,) = problem.checks
    assert check.detail.startswith("Traceback")
    assert 'assert "odd" not in answer or answer["even"]' in check.detail
    assert check.detail.endswith("KeyError: 'even'")
    assert "_pytest" not in check.detail


def test_a_variant_that_loses_is_rejected_with_what_its_author_would_read(audit: Audit) -> None:
    (problem,) = problems_of(audit, "wrong_after_all").values()
    assert problem.what == "loses 10 of 40 points"
    assert problem.message.startswith("`add` adds negative numbers: `add` does not add.")
    (check,) = problem.checks
    assert (check.key, check.status) == ("test_1_1.py::test_negative", "failed")


def test_a_stub_that_earns_names_the_checks_that_let_it(audit: Audit) -> None:
    (problem,) = problems_of(audit, "stub").values()
    assert (problem.task, problem.what) == ("1.3", "earns 10 points with nothing done")
    assert [check.key for check in problem.checks] == ["test_1_3.py::test_ends"]


def test_the_json_has_all_of_it(audit: Audit) -> None:
    found = audit.as_json()
    failures = found.pop("failures")
    assert found == {
        "reference": 100.0,
        "stub": 10.0,
        "mutants": {
            "total": 6,
            "caught": 3,
            "survivors": ["breaks_a_check", "costs_others", "survivor"],
        },
        "variants": {"total": 2, "accepted": 1, "rejected": ["wrong_after_all"]},
        "junk": {"total": 0, "stood": 0},
        "untold": {},
    }
    (broken,) = (one for one in failures if one["overlay"] == "breaks_a_check")
    assert broken.pop("detail").endswith("KeyError: 'even'")
    assert broken == {
        "overlay": "breaks_a_check",
        "kind": "mutant",
        "task": "1.4",
        "what": "a check broke",
        "check": "test_1_4.py::test_rank",
        "message": "This task could not be graded; the fault is not yours. Staff have been told.",
    }
    assert {one["overlay"] for one in failures} == {one.overlay for one in audit.problems}


def test_the_staffs_log_has_details_and_who_got_no_hint(audit: Audit) -> None:
    log = staff_log(audit)
    assert "KeyError: 'even'" in log
    assert "1.2 ends" in log[log.index("without their hint") :]
    assert "ranks_backwards" not in log


def test_only_what_an_overlay_can_touch_is_graded(graded: Graded) -> None:
    assert "mutant costs_others 1.1" in graded.names
    by_name = [name for name in graded.names if "subtracts" in name]
    assert by_name == ["mutant subtracts 1.1"]


def test_what_was_found_in_order_is_not_graded_again(course: Course, audit: Audit) -> None:
    again = Graded()
    other = audited(course, again)
    assert other.as_json() == audit.as_json()
    # What failed is tried again: it may have been the machine.
    assert sorted(again.names) == [
        "mutant breaks_a_check 1.4",
        "mutant costs_others 1.2",
        "mutant survivor 1.1",
        "stub stub 1.3",
        "variant wrong_after_all 1.1",
    ]
    assert (other.graded, audit.reused) == (5, 0)
    assert other.reused == audit.graded - 5


def test_an_interrupted_audit_goes_on_where_it_was(tmp_path: Path) -> None:
    course = build(tmp_path / "course")
    first, second = Graded(most=2), Graded()
    with pytest.raises(KeyboardInterrupt):
        audited(course, first)
    assert audited(course, second).clean
    assert len(first.names) == 2
    # The reference's four tasks, the stub and a mutant: the rest of them, and each once.
    assert len(second.names) == 4
    assert not set(first.names) & set(second.names)


def test_nothing_is_reused_by_a_fresh_audit_and_its_results_are_kept(tmp_path: Path) -> None:
    course = build(tmp_path / "course")
    first, second, third = Graded(), Graded(), Graded()
    assert audited(course, first).clean
    assert audited(course, second, fresh=True).reused == 0
    assert sorted(second.names) == sorted(first.names)
    assert audited(course, third).clean
    assert third.names == []


def drawn(secret: str) -> list[int]:
    """Return the first numbers of the sums that a check asks for."""
    seed = CheckSession(lambda session: None, secret).seed("inputs test_1_1.py::test_sum")
    rng = torch.Generator().manual_seed(seed)
    return [int(torch.randint(10**6, 10**7, (2,), generator=rng)[0]) for _ in range(2)]


def test_a_sweep_tells_what_hangs_on_the_secret(tmp_path: Path) -> None:
    secrets = several(SECRET, 3)
    assert secrets == ("audit", "audit 2", "audit 3")
    these = drawn("audit 3")
    assert not set(these) & {*drawn("audit"), *drawn("audit 2")}
    sums = "def add(first, second):\n    return first + second"
    files = {
        f"{VARIANTS}/unlucky.py": overlay("1.1", f"{sums} - (first in {these})"),
        f"{MUTANTS}/lucky.py": mutant("1.1", f"{sums} + (first > 0 and first not in {these})"),
    }
    course = build(tmp_path / "course", files)
    selection = Selection(only=("unlucky", "lucky", "subtracts"))
    assert audited(course, selection=selection).clean
    graded = Graded()
    audit = audited(course, graded, selection, secrets)
    assert [(one.overlay, one.task, one.secret) for one in audit.problems] == [
        ("unlucky", "1.1", "audit 3")
    ]
    differences = {(one.case.name, one.secret): one.scores for one in audit.differences}
    assert differences == {("unlucky", "audit 3"): (40, 10), ("lucky", "audit 3"): (10, 40)}
    assert not audit.clean
    assert len(graded.names) == 2 * 5  # with the first secret they are known


def test_a_quick_audit_asks_for_points_alone_and_a_whole_one_for_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def note(module: ModuleType, name: str) -> None:
        own = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given: (asked.append(name), own(*given))[1])

    note(told, "find_untold")
    note(told, "find_refused")
    note(soundness, "tell_junk")
    course, again = build(tmp_path / "course"), Graded()
    quick = audited(course, quick=True, kinds=TELLING)
    assert quick.clean
    mutants = quick.of_kind(Kind.MUTANT)
    assert mutants
    assert not any(one.hinted for one in mutants)
    assert not quick.of_kind(Kind.JUNK)
    assert not asked
    whole = audited(course, kinds=TELLING)
    assert all(one.hinted for one in whole.of_kind(Kind.MUTANT))
    assert whole.of_kind(Kind.JUNK)
    assert asked == ["find_untold", "find_refused", "tell_junk"]
    assert audited(course, again, quick=True).clean
    assert again.names == []  # all is known


BUSY = """\
import time


def scale(boxes, factor):
    begin = time.process_time()
    while time.process_time() - begin < 0.5:
        pass
    return boxes * factor
"""


def test_a_limit_that_is_near_to_a_right_answer_is_told(tmp_path: Path) -> None:
    course = build(tmp_path / "course", {f"{VARIANTS}/busy.py": overlay("1.2", BUSY)})
    (problem,) = audited(course, selection=Selection(only=("busy",))).problems
    assert (problem.kind, problem.overlay, problem.task) == ("variant", "busy", "1.2")
    assert "processor seconds, more than one part in 3" in problem.what
