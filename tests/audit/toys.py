"""A toy course to audit, whose second task rests on its first, and how it is audited in tests."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from attacks.toys import WEEK, course_files

from detgrader.assignment import load_assignment
from detgrader.audit import junk, soundness
from detgrader.audit.audit import SECRET, Request, collect_checks, run_audit
from detgrader.audit.cases import Case, CaseBuilder, Selection
from detgrader.audit.inputs import Inputs
from detgrader.audit.kinds import PLAIN
from detgrader.audit.verdicts import Audit
from detgrader.authoring import release
from detgrader.classroom.job import known_answers
from detgrader.course import Course
from detgrader.grading.results import SubmissionResult
from detgrader.grading.stand_ins import load_stand_ins

CHECKS = "autograder/checks/week1"
NOTEBOOK = f"solutions/{WEEK}/notebook.py"
MUTANTS = f"solutions/{WEEK}/mutants"
VARIANTS = f"solutions/{WEEK}/variants"

# Beside `add` the first answer defines what the second one uses, and what no check asks for.
HELPER = '''\
def doubled(number):  # given
    """Return twice a number."""
    ### BEGIN SOLUTION
    return 2 * number
    ### END SOLUTION


def add('''


def overlay(task: str, code: str, hint: str = "", does: str = "something else") -> str:
    """Write an overlay's file."""
    told = f"hint: {hint}\n" if hint else ""
    return f'"""\ntask: {task}\ndoes: {does}\n{told}"""\n\n\n{code}\n'


def mutant(task: str, code: str, **fields: str) -> str:
    """Write a mutant's file."""
    return overlay(task, code, **({"hint": "Is that so?"} | fields))


def build(root: Path, files: dict[str, str] | None = None) -> Course:
    """Write the toy course, and some files in it, and release its week."""
    texts = course_files()
    texts[NOTEBOOK] = replaced(texts[NOTEBOOK], "def add(", HELPER)
    texts[NOTEBOOK] = replaced(
        texts[NOTEBOOK], "return boxes * factor", "return boxes * doubled(factor) / 2"
    )
    for name, text in (texts | (files or {})).items():
        write(root / name, text)
    course = Course(root)
    release.write(course, WEEK)
    return course


def write(path: Path, text: str) -> None:
    """Write a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def replaced(text: str, old: str, new: str) -> str:
    """Replace what a text holds once."""
    assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times"
    return text.replace(old, new)


def edit(course: Course, name: str, old: str, new: str) -> None:
    """Replace what a file of a course holds once."""
    path = course.root / name
    write(path, replaced(path.read_text(encoding="utf-8"), old, new))


def inputs_of(course: Course, week: str = WEEK) -> Inputs:
    """Return what results depend on."""
    forget_checks()
    assignment = load_assignment(course, week)
    mistakes = {label: one.all for label, one in known_answers(course, assignment).items()}
    return Inputs(course, assignment, collect_checks(course, week), mistakes)


def forget_checks() -> None:
    """Have checks that were collected before read anew, as a new process would."""
    for name in [name for name in sys.modules if name.startswith("test_1_")]:
        del sys.modules[name]


def builder_of(course: Course) -> CaseBuilder:
    """Return what builds the submissions of an audit, as a new process would."""
    course = Course(course.root)
    return CaseBuilder(course, inputs_of(course), load_stand_ins(course.checks(WEEK)))


def cases_of(course: Course, selection: Selection = Selection()) -> dict[str, Case]:  # noqa: B008
    """Return the submissions of an audit, by name."""
    return {case.name: case for case in builder_of(course).build(selection)}


class Graded:
    """Notes what an audit grades.

    Args:
        most: of so many results the last is an interrupt.
    """

    def __init__(self, most: int = 1000):
        self.names: list[str] = []
        self.most = most

    def __call__(self, count: int, words: str) -> AbstractContextManager[Callable[[Any], None]]:
        return self.noting() if words == "to grade" else contextlib.nullcontext(lambda _: None)

    @contextlib.contextmanager
    def noting(self) -> Iterator[Callable[[SubmissionResult], None]]:
        """Note the name of each submission."""

        def note(result: SubmissionResult) -> None:
            self.names.append(result.student)
            if len(self.names) == self.most:
                raise KeyboardInterrupt

        yield note


def audited(
    course: Course,
    graded: Graded | None = None,
    selection: Selection = Selection(),  # noqa: B008
    secrets: tuple[str, ...] = (SECRET,),
    fresh: bool = False,
    kinds: Collection[str] = (),
    quick: bool = False,
) -> Audit:
    """Audit the toy week.

    Args:
        kinds: of junk; without any, checks are told none either.
    """
    forget_checks()
    request = Request(selection, secrets, fresh, 2, quick)
    with pytest.MonkeyPatch.context() as patch:
        if not kinds:
            patch.setattr(junk, "cases", lambda *_: [])
            patch.setattr(soundness, "questions", lambda *_: ())
        patch.setattr(junk, "PLAIN", [kind for kind in PLAIN if kind.name in kinds])
        return run_audit(Course(course.root), WEEK, request, graded or Graded())
