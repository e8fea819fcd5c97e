"""Where things lie in a course, and the one error that is written for people.

This module imports nothing heavy: every command starts here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


class CourseError(Exception):
    """Something a person must mend: what was wrong, where, and what to do about it."""


@dataclass(frozen=True)
class Course:
    """A checkout of the course, addressed by week (the name of a folder in `solutions/`)."""

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> Course:
        """Return the course around `start` (default: the working directory).

        Outside any course it is the checkout that this package was installed from.

        Raises:
            CourseError: neither place is in a course.
        """
        start = (start or Path.cwd()).resolve()
        checkout = Path(__file__).resolve().parents[2]
        for folder in (start, *start.parents, checkout):
            if (folder / "solutions").is_dir() and (folder / "autograder" / "checks").is_dir():
                return cls(folder)
        raise CourseError(
            f"{start}: no course here or above (a folder with solutions/ and autograder/checks/); "
            "change into your checkout of the course"
        )

    def weeks(self) -> list[str]:
        """Return the weeks that have a source, sorted by name."""
        return sorted(path.parent.name for path in self.root.glob("solutions/*/notebook.py"))

    def number(self, week: str) -> int:
        """Return the number in the week's name, which its task labels begin with."""
        digits = re.search(r"\d+", self._known(week))
        if digits is None:
            raise CourseError(
                f"solutions/{week}: the name holds no number; call it something like week1_{week}"
            )
        return int(digits[0])

    def source(self, week: str) -> Path:
        """Return the text that staff edit."""
        return self.root / "solutions" / self._known(week) / "notebook.py"

    def mutants(self, week: str) -> Path:
        """Return the folder of wrong answers that the checks must catch."""
        return self.root / "solutions" / self._known(week) / "mutants"

    def variants(self, week: str) -> Path:
        """Return the folder of right answers that the checks must accept."""
        return self.root / "solutions" / self._known(week) / "variants"

    def release(self, week: str) -> Path:
        """Return the generated notebook that students get."""
        return self.root / "assignments" / self._known(week) / f"{week}.ipynb"

    def checks(self, week: str) -> Path:
        """Return the folder of hidden checks."""
        return self.root / "autograder" / "checks" / self._known(week)

    def visible_checks(self, week: str) -> Path:
        """Return the module of visible checks, which students have."""
        visible = self.root / "shared" / "detlab" / "checking" / "visible"
        return visible / f"{self._known(week)}.py"

    def absent_packages(self, week: str) -> list[str]:
        """Return packages that answers of a week run without: those of `absent.txt`, a line each.

        They lie beside the hidden checks; most weeks have none.
        """
        listed = self.checks(week) / "absent.txt"
        return listed.read_text("utf-8").split() if listed.is_file() else []

    def display(self, path: Path) -> str:
        """Return `path` as messages name it: relative to the root, with forward slashes."""
        return path.relative_to(self.root).as_posix()

    def _known(self, week: str) -> str:
        if week not in self.weeks():
            known = ", ".join(self.weeks()) or "none yet"
            raise CourseError(f"no week {week!r} in {self.root / 'solutions'}; known: {known}")
        return week
