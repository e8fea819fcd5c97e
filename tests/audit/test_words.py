"""An audit in words: short when it is clean, failures in full, and readable at 80 columns."""

from __future__ import annotations

import io
import re

from rich.console import Console

from detgrader.audit.cases import Case, Kind
from detgrader.audit.reuse import Record
from detgrader.audit.verdicts import Audit, Difference, Problem, Verdict
from detgrader.audit.words import print_audit, problems_in_words
from detgrader.grading.results import CheckResult, Status, TaskResult


def printed(audit: Audit, width: int = 80) -> str:
    """Print an audit as on a screen of some width."""
    console = Console(file=io.StringIO(), width=width)
    print_audit(console, audit)
    return console.file.getvalue()


def check(detail: str = "", message: str = "It is not right.") -> CheckResult:
    return CheckResult("test_1_1.py::test_sum", "It adds", Status.FAILED, message, detail)


def audit_of(count: int = 0, problems: tuple[Problem, ...] = (), **more: object) -> Audit:
    """Return an audit of some mutants of 1.1, all caught with their hint."""
    result = TaskResult("1.1", "Add", 0.0, 40.0, Status.FAILED, "It is not right.")
    record = Record("", "", {}, result, [])
    verdicts = [
        Verdict(Case(Kind.MUTANT, f"m{n}", None, {}, "1.1"), {"1.1": record}, [])  # type: ignore[arg-type]
        for n in range(count)
    ]
    points = {"1.1": 40.0, "1.2": 60.0}
    return Audit("week1_toy", points, verdicts, list(problems), **more)  # type: ignore[arg-type]


def test_a_clean_audit_is_short() -> None:
    text = printed(audit_of(150, graded=3, reused=149))
    assert len(text.splitlines()) <= 8
    assert re.search(r"^1\.1 +150 +150", text, re.M)
    assert "150 of 150 mutants caught" in text
    assert "3 results graded, 149 reused" in text
    assert text.splitlines()[-1] == "clean"


def test_what_was_not_looked_for_is_not_counted() -> None:
    text = printed(audit_of(150, quick=True))
    assert "150 of 150 mutants caught, 0 of 0 variants accepted\n" in text
    for word in ("hint", "told", "junk", "stood", "notebook"):
        assert word not in text


def test_a_failure_is_told_in_full() -> None:
    trace = 'Traceback (most recent call last):\n  File "x.py", line 3\nKeyError: [bold]'
    message = "It adds: It is not right.\nHint: Is that a [minus]?"
    problem = Problem("mutant", "odd", "1.1", "a check broke", message, (check(trace),))
    text = printed(audit_of(problems=(problem,)))
    assert "1.1 mutant odd: a check broke" in text
    for line in (*trace.splitlines(), *message.splitlines()):
        assert f"        {line}\n" in text
    assert "    test_1_1.py::test_sum: failed\n" in text
    assert text.splitlines()[-1] == "not clean"


def test_failures_that_are_alike_are_told_once() -> None:
    same = [
        Problem("mutant", f"m{n}", "1.1", "a check broke", "", (check("KeyError"),))
        for n in range(9)
    ]
    other = Problem("mutant", "m9", "1.1", "a check broke", "", (check("TypeError"),))
    told = list(problems_in_words([*same, other]))
    assert [lines[0] for lines in told] == [
        "1.1 mutant m0, m1, m2, m3, m4, m5, 3 more: a check broke",
        "1.1 mutant m9: a check broke",
    ]


def test_what_hangs_on_the_secret_and_what_was_left_out_is_said() -> None:
    case = Case(Kind.MUTANT, "lucky", None, {}, "1.1")  # type: ignore[arg-type]
    problem = Problem("variant", "unlucky", "1.1", "loses 3 of 4 points", secret="audit 2")
    text = printed(
        audit_of(
            problems=(problem,),
            left_out={"1.9": "Not run: there are no weights."},
            differences=[Difference(case, "1.1", "audit 2", (10.0, 40.0))],
        )
    )
    assert "1.9 and its overlays were left out. Not run: there are no weights.\n" in text
    assert "mutant lucky earns 10 points in 1.1, and 40 with the secret 'audit 2'" in text
    assert "1.1 variant unlucky with the secret 'audit 2': loses 3 of 4 points" in text


def test_the_table_fits_into_80_columns() -> None:
    lines = printed(audit_of(150)).splitlines()
    assert max(map(len, lines[:2])) <= 80
