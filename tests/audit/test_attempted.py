"""What a release gives away is seen by grading it as if it had been attempted."""

from __future__ import annotations

import json
from pathlib import Path

from attacks.grading import build_course, hand_in
from attacks.notebooks import cell_of
from attacks.toys import WEEK

from detgrader.audit.audit import run_audit


def test_an_audit_is_not_clean_where_the_release_holds_an_answer(tmp_path: Path) -> None:
    course = build_course(tmp_path / "course")
    released = json.loads(course.release(WEEK).read_text("utf-8"))
    cell_of(released, "task_1_1")["source"] = "def add(first, second):\n    return first + second"
    hand_in(released, course.release(WEEK))
    audit = run_audit(course, WEEK, 1, "one", on_result=lambda result: None)
    assert (audit.reference, audit.stub) == (100, 0)
    assert [verdict.caught for verdict in audit.mutants] == [True]
    assert audit.given_away == {"1.1": 40.0}  # and of the tasks that are stubs nothing
    assert audit.as_json()["given_away"] == {"1.1": 40.0}
    assert not audit.clean
