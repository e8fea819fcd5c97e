"""Whatever a worker replies, a check stands it: no fault of ours, no control character, no point.

The hidden checks of all weeks are told the reference's answers, one of them replaced by something
hostile. The usual run takes a sample, always the same; `--fuzz 500` tells each check five hundred
lies, `--seed` other ones.
"""

from __future__ import annotations

import importlib
import random
from typing import Any

import matplotlib.pyplot as plt
import pytest
import torch

from attacks.hostile import hostile_worker, liar_of
from detgrader.assignment import load_assignment
from detgrader.audit.junk import is_heavy
from detgrader.audit.replays import Told, recorder
from detgrader.audit.soundness import quiet
from detgrader.course import Course
from detgrader.grading.diagnosis import names_in
from detgrader.grading.mistakes import Restarted, bench_on, with_own_chance
from detgrader.grading.outcomes import Outcome
from detgrader.grading.results import Status
from detgrader.grading.session import CheckSession, Subject, run_session
from detgrader.grading.tasks import Check
from detgrader.reference import reference_submission
from detlab.checking.notebook import CodeCell
from detlab.checking.student import Student
from detlab.checking.tools import tools_of

COURSE = Course.find()
WEEKS = [path.parent.name for path in sorted(COURSE.root.glob("solutions/*/notebook.py"))]
# Of each week so many checks are told so many lies, unless more is asked for.
CHECKS, LIES = 7, 12


class Fuzz:
    """Tells lies to the checks of a week.

    Args:
        lies: for each check; None tells a sample of them a few.
    """

    def __init__(self, week: str, lies: int | None, seed: int):
        self.week = week
        self.lies = lies
        self.dice = random.Random(f"{week} {seed}")
        self.assignment = load_assignment(COURSE, week)
        self.reference = reference_submission(COURSE, self.assignment)
        modules = [COURSE.settings.weeks, *self.assignment.modules]
        for module in modules:
            importlib.import_module(module)
        self.tools = tools_of(map(importlib.import_module, COURSE.tool_modules(week)))
        self.problems: list[str] = []
        self.told = 0

    def run(self) -> list[str]:
        """Tell all lies; return what went wrong."""
        with quiet():
            run_session(COURSE.checks(self.week), "secret", self.tell)
        return self.problems

    def chosen(self, session: CheckSession) -> list[Check]:
        """Return the checks that are told lies: all that do not train, or a sample of the light."""
        tasks = [one for one in session.tasks.values() if not one.weights_of]
        if self.lies is not None:
            return [check for one in tasks for check in one.checks if not check.costly]
        light = [check for one in tasks if not is_heavy(one) for check in one.checks]
        return self.dice.sample(light, CHECKS)

    def tell(self, session: CheckSession) -> None:
        """Tell the chosen checks lies."""
        for check in self.chosen(session):
            task = next(task for task in self.assignment.tasks if task.label == check.task)
            self.tell_check(session, check, task.code_cells)

    def tell_check(self, session: CheckSession, check: Check, cells: tuple[str, ...]) -> None:
        """Ask the reference, then tell its answers with a lie among them."""
        sources = [CodeCell("setup", self.assignment.setup), *self.reference.up_to(cells[-1])]
        names = names_in(self.reference, cells)
        told: list[Told] = []
        bench = Restarted(lambda: bench_on(sources, self.tools))
        asked = Student(recorder(with_own_chance(bench.perform), told))
        outcome = session.run(check, Subject(asked, lambda: names))
        if not outcome.passed or not told:
            self.problems.append(f"{check.key}: the reference: {outcome}")
            return
        limits = session.tasks[check.task].limits
        for number in range(LIES if self.lies is None else self.lies):
            # Every fourth time all answers are one and the same: that earns nothing.
            on = number % 4 == 0
            place = 0 if on else self.dice.randrange(len(told))
            seed = self.dice.randrange(1 << 32)
            with hostile_worker(told, liar_of(random.Random(seed), place, on), limits) as worker:

                def perform(request: str, *arguments: Any, worker: Any = worker) -> Any:
                    return None if request == "again" else worker.perform(request, *arguments)

                subject = Subject(Student(perform), lambda: names, allowance=worker.allowance)
                outcome = session.run(check, subject)
            plt.close("all")
            self.told += 1
            if fault := fault_of(outcome, on):
                where = f"{check.key}, answer {place} of {len(told)}{' and on' * on}, seed {seed}"
                self.problems.append(f"{where}: {fault}")


def fault_of(outcome: Outcome, on: bool) -> str:
    """Say what is wrong with what became of a lie, or nothing."""
    _ = outcome.answers  # any can be described
    if outcome.status is Status.GRADER_ERROR:
        return outcome.detail
    if outcome.passed:
        return "it passes" * on
    for text in (outcome.message, outcome.detail):
        if not all(c.isprintable() or c == "\n" for c in text):
            return f"control characters: {text!r}"
        if "Traceback" in text or 'File "/' in text or len(text) > 3000:
            return f"words of ours: {text}"
    return "" if outcome.message else "no message"


@pytest.mark.parametrize("week", WEEKS)
def test_no_reply_breaks_a_check(week: str, request: pytest.FixtureRequest) -> None:
    torch.set_num_threads(1)
    fuzz = Fuzz(week, request.config.getoption("--fuzz"), request.config.getoption("--seed"))
    problems = fuzz.run()
    assert not problems, "\n\n".join(problems)
    assert fuzz.told >= CHECKS * LIES
