"""Write results for other programs and for staff, all from one model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import junitparser

from detgrader.classroom.kept import RESULTS, file_name
from detgrader.files import write_json, write_text
from detgrader.grading.results import BatchResult, SubmissionResult, TaskResult, points_of


@dataclass(frozen=True)
class Written:
    """Where the results of a batch were written."""

    results: Path
    junit: Path
    gradescope: Path
    log: Path


def write_reports(
    batch: BatchResult,
    folder: Path,
    secret: str,
    notes: Sequence[str] = (),
    told: BatchResult | None = None,
) -> Written:
    """Write all files of a batch into a folder.

    Args:
        notes: lines for staff about the class.
        told: the results as students may see them, if they are not to see all of them yet.

    `staff.log` holds what students must not see: the secret that the inputs came from
    (so that a grading can be repeated), expected values, violations and edits.
    """
    told = told or batch
    written = Written(
        folder / RESULTS, folder / "junit.xml", folder / "gradescope", folder / "staff.log"
    )
    names = [file_name(result.student) for result in batch.submissions]
    for stale in written.gradescope.glob("*.json"):
        if stale.stem not in names:
            stale.unlink()  # of an earlier call with other students
    for name, result in zip(names, told.submissions, strict=True):
        write_json(written.gradescope / f"{name}.json", gradescope(result, batch.isolation))
    write_text(written.junit, junit(told))
    write_text(written.log, staff_log(batch, secret, notes), mode=0o600)
    write_json(written.results, batch.as_json())
    return written


def gradescope(result: SubmissionResult, isolation: str) -> dict[str, Any]:
    """Return a submission's results in Gradescope's format (results.json, 2024)."""
    pending = f"{result.pending_manual:g} points are still to be given by hand."
    unknown = "Not all of it could be graded yet, so there is no sum."
    lines = [result.error or pending * bool(result.pending_manual), stamp(isolation)]
    lines.append(str(result.late) if result.late else "")
    lines.insert(0, unknown * (result.score is None and not result.error))
    return {
        "score": result.final_score,
        "output": "\n".join(filter(None, lines)),
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [gradescope_test(task) for task in result.tasks],
        "extra_data": {"notebook_sha256": result.notebook_sha256, "isolation": isolation},
    }


def stamp(isolation: str) -> str:
    """Say of points that were given without a sandbox that they were, else nothing."""
    return (
        "" if isolation == "bubblewrap" else f"Graded without a sandbox (isolation: {isolation})."
    )


def gradescope_test(task: TaskResult) -> dict[str, Any]:
    """Return one task as Gradescope's test case."""
    test = {
        "name": f"{task.task} {task.title}",
        "number": task.task,
        "score": task.score,
        "max_score": task.max_score,
        "output": task.message or task.status.replace("_", " "),
        "output_format": "text",
        "visibility": "visible",
    }
    # A task that waits for a person, or that could not be graded, is neither passed nor failed.
    if task.status not in ("manual", "skipped", "grader_error"):
        test["status"] = "passed" if task.status == "passed" else "failed"
    return test


def junit(batch: BatchResult) -> str:
    """Return the batch as JUnit XML: a suite for each student, a case for each task."""
    xml = junitparser.JUnitXml(batch.assignment)
    for result in batch.submissions:
        suite = junitparser.TestSuite(xml_text(result.student))
        suite.add_property("isolation", batch.isolation)
        for task in result.tasks:
            case = junitparser.TestCase(f"{task.task} {task.title}", batch.assignment, task.seconds)
            case.result = junit_outcomes(task, result.error)
            suite.add_testcase(case)
        xml.add_testsuite(suite)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{xml.tostring().decode("utf-8")}\n'


def junit_outcomes(task: TaskResult, refusal: str) -> list[Any]:
    """Return what JUnit calls the outcome of a task: nothing when it passed."""
    if refusal:
        return [junitparser.Error(xml_text(refusal), "refused")]
    message = xml_text(f"{points_of(task)} points. {task.message}".strip())
    if task.status == "passed":
        return []
    if task.status in ("manual", "skipped"):
        return [junitparser.Skipped(message, task.status)]
    kind = junitparser.Error if task.status == "grader_error" else junitparser.Failure
    return [kind(message, task.status)]


def xml_text(text: str) -> str:
    """Drop the characters that XML cannot hold."""
    return "".join(c for c in text if c in "\t\n" or " " <= c < "\ufffe" or c > "\uffff")


def staff_log(batch: BatchResult, secret: str, notes: Sequence[str]) -> str:
    """Return the staff's log as text."""
    lines = [f"assignment {batch.assignment}", f"isolation {batch.isolation}", f"secret {secret}"]
    lines += notes
    for result in batch.submissions:
        lines.append(f"\n{result.student} ({result.path}, sha256 {result.notebook_sha256})")
        if result.error:
            lines.append(f"  refused: {result.error}")
        lines += [f"  {line}".replace("\n", "\n  ") for line in result.log]
    return "\n".join(lines) + "\n"
