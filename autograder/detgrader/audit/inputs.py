"""What a result depends on, as hashes: where all of it is as it was, so is the result."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from detgrader.assignment import Assignment
from detgrader.audit.reach import Module, Reach, Sources
from detgrader.audit.statements import root_of, statements_of
from detgrader.course import Course
from detgrader.fingerprints import digest, environment, file_digest, set_of_data
from detgrader.grading.diagnosis import KnownMistake
from detgrader.grading.tasks import Check, TaskChecks
from detgrader.intake import Submission
from detlab.checking.notebook import CodeCell
from detlab.checking.tools import tools_of

# What grading itself consists of: all that these import, too.
ENGINE = ("detgrader.classroom.job", "detgrader.sandbox.host", "detgrader.sandbox.inside.zygote")


class Inputs:
    """The inputs of a week's results.

    Args:
        checks: by task label.
        mistakes: by task label, the known mistakes that hints come from.
    """

    def __init__(
        self,
        course: Course,
        assignment: Assignment,
        checks: Mapping[str, TaskChecks],
        mistakes: Mapping[str, Sequence[KnownMistake]],
    ):
        self.course = course
        self.assignment = assignment
        self.checks = checks
        self.mistakes = mistakes
        self.sources = Sources()
        self.reaches: dict[str, Reach] = {}
        self.worlds: dict[frozenset[tuple[str, str]], str] = {}
        self.tools = tools_of(map(importlib.import_module, course.tool_modules(assignment.name)))
        self.cells = {task.label: task.code_cells for task in assignment.tasks}

    def of_result(self, submission: Submission, label: str, ended: Iterable[str]) -> str:
        """Hash what a submission's result in a task depends on, but for the task's own checks.

        Args:
            ended: grade ids of cells that are left out.
        """
        given = submission.up_to(self.cells[label][-1])
        weights = ""
        if self.checks[label].weights_of and submission.weights:
            weights = file_digest(submission.weights)
        world = self.of_imports([self.assignment.setup, *(cell.source for cell in given)])
        given_text = cells_text(given)
        return digest(self.common, world, self.of_task[label], given_text, sorted(ended), weights)

    def of_imports(self, sources: Iterable[str]) -> str:
        """Hash what cells import of the course's own."""
        imports = {
            (one.target, one.name)
            for source in sources
            for statement in statements_of(source)
            for one in statement.imports
            if self.sources.module(root_of(one.target))
        }
        key = frozenset(imports)
        if key not in self.worlds:
            world = Reach(self.sources)
            for target, name in sorted(imports):
                world.follow(target, name)
            self.worlds[key] = world.digest
        return self.worlds[key]

    @cached_property
    def of_task(self) -> dict[str, str]:
        """By task, a hash of what staff give to it besides its checks."""
        first = next((label for label, cells in self.cells.items() if cells), "")
        found = {}
        for label, about in self.checks.items():
            marks = [about.limits, sorted(about.forbidden), about.needs, about.weights_of]
            data = set_of_data(self.course, about.weights_of) if about.weights_of else []
            found[label] = digest(marks, "" if label == first else self.stand_ins, data)
        return found

    @cached_property
    def of_checks(self) -> dict[str, dict[str, str]]:
        """By task, a hash of each check by its key: all code that it may run, and its weight."""
        return {
            label: {
                check.key: digest(check.name, check.weight, check.costly, reach.digest)
                for check in about.checks
                if (reach := self.reach_of(check))
            }
            for label, about in self.checks.items()
        }

    @cached_property
    def of_mistakes(self) -> dict[str, str]:
        """By task, a hash of what its hints come from."""
        return {
            label: digest([mistake_text(one) for one in self.mistakes.get(label, ())])
            for label in self.checks
        }

    def reach_of(self, check: Check) -> Reach:
        """Return what a check is made of, the tools that it names included."""
        if check.key not in self.reaches:
            reach = Reach(self.sources)
            test = Module(check.item.path.stem, check.item.path)
            reach.from_name(test, check.item.originalname)
            self.reaches[check.key] = self.with_tools(reach)
        return self.reaches[check.key]

    def with_tools(self, reach: Reach) -> Reach:
        """Add the tools that are mentioned, which is how checks ask for them."""
        for name in sorted(reach.mentions & self.tools.keys()):
            reach.follow(self.tools[name].__module__, name)
        return reach

    @cached_property
    def common(self) -> str:
        """A hash of what all results of the week depend on."""
        engine = Reach(self.sources)
        for name in [self.course.settings.weeks, *ENGINE]:
            engine.follow(name)
        settings = self.course.settings
        without = settings.weeks_without.get(self.assignment.name)
        shown = [settings.sandbox, settings.tripwire, without]
        data = self.data_files([engine, *map(self.reach_of, self.all_checks())])
        return digest(engine.digest, shown, data, environment(), self.assignment.setup)

    def all_checks(self) -> list[Check]:
        """Return the week's checks."""
        return [check for about in self.checks.values() for check in about.checks]

    @cached_property
    def stand_ins(self) -> str:
        """A hash of the right answers to earlier tasks' functions."""
        path = self.course.checks(self.assignment.name) / "stand_ins.py"
        reach = Reach(self.sources)
        if path.is_file():
            reach.all_of(Module(path.stem, path))
        return reach.digest

    def data_files(self, reaches: Iterable[Reach]) -> list[tuple[str, str]]:
        """Hash the files that lie beside the modules of the packages that were reached."""
        names = {module.name.partition(".")[0] for reach in reaches for module in reach.taken}
        modules = [self.sources.module(name) for name in sorted(names)]
        folders = [one.path.parent for one in modules if one and one.path.name == "__init__.py"]
        return [
            (path.relative_to(folder.parent).as_posix(), file_digest(path))
            for folder in folders
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix not in (".py", ".pyc")
        ]


def cells_text(cells: Iterable[CodeCell]) -> list[tuple[str, str, bool]]:
    """Return all of some cells."""
    return [(cell.name, cell.source, cell.definitions_only) for cell in cells]


def mistake_text(mistake: KnownMistake) -> tuple[object, ...]:
    """Return all that a known mistake answers and says."""
    cells = cells_text(mistake.submission.up_to(mistake.cells[-1]))
    return mistake.overlay.name, mistake.overlay.hint, cells
