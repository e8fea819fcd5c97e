"""Where things lie in a course, what its `course.toml` says, and the one error for people.

This module imports nothing heavy: every command starts here.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from detlab.checking.outline import KNOWN, OUTLINE

SETTINGS = "course.toml"


class CourseError(Exception):
    """Something a person must mend: what was wrong, where, and what to do about it."""


@dataclass(frozen=True)
class SandboxSettings:
    """What students' code may see and what not, the `[sandbox]` of `course.toml`.

    Attributes:
        visible: packages that students install.
        hidden_packages: packages, or parts of packages, that stay invisible.
        hidden_folders: folders of the course that stay invisible.
    """

    visible: tuple[str, ...] = ()
    hidden_packages: tuple[str, ...] = ()
    hidden_folders: tuple[str, ...] = ("solutions", "assignments", "autograder/checks", ".git")


@dataclass(frozen=True)
class TripwireSettings:
    """Source text that honest answers never need, the `[tripwire]` of `course.toml`.

    Attributes:
        names: variables, attributes and what is looked up by a constant name.
        calls: what is called by its bare name.
        paths: modules, and attributes of modules; all that lies within is meant.
        changeable: modules, or attributes of modules, that may be set; no others may.
    """

    names: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    changeable: tuple[str, ...] = ()


@dataclass(frozen=True)
class DemoSettings:
    """What the demo shows, the `[demo]` of `course.toml`.

    Attributes:
        week: name of the week.
        mistakes: names of mutants that its mistaken student makes.
        tricks: "module:name" of a dict, by grade id, of what its hostile student tries.
    """

    week: str
    mistakes: tuple[str, ...] = ()
    tricks: str = ""


@dataclass(frozen=True)
class BundleSettings:
    """What students get beside the notebooks, the `[bundle]` of `course.toml`.

    Attributes:
        template: a folder of the course, all of which is taken as it is.
        brings: further files and folders of the course, and what they are called there.
    """

    template: str
    brings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SiteSettings:
    """What the course's site holds beside the notebooks, the `[site]` of `course.toml`.

    Attributes:
        pages: a folder of pages, which lie at the site's top; its `conf.py` is Sphinx's.
        brings: files of the course that become pages, or are led to, as they are.
    """

    pages: str
    brings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """All that the engine must know of a course; see the comments in `course.toml`."""

    name: str
    points: float = 100
    points_of: dict[str, float] = field(default_factory=dict)
    weeks: str = ""
    locate: str = ""
    sandbox: SandboxSettings = field(default_factory=SandboxSettings)
    weeks_without: dict[str, list[str]] = field(default_factory=dict)
    warm_up: dict[str, list[str]] = field(default_factory=dict)
    commands: dict[str, str] = field(default_factory=dict)
    tripwire: TripwireSettings | None = None
    demo: DemoSettings | None = None
    bundle: BundleSettings | None = None
    site: SiteSettings | None = None


def read_settings(path: Path) -> Settings:
    """Read `course.toml`.

    Raises:
        CourseError: it is no TOML, lacks a key, or holds one that nobody asks for.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CourseError(f"{path}: {error}") from None
    try:
        if "sandbox" in table:
            table["sandbox"] = SandboxSettings(**tuples(table["sandbox"]))
        if "tripwire" in table:
            table["tripwire"] = TripwireSettings(**tuples(table["tripwire"]))
        if "demo" in table:
            table["demo"] = DemoSettings(**tuples(table["demo"]))
        if "bundle" in table:
            table["bundle"] = BundleSettings(**table["bundle"])
        if "site" in table:
            table["site"] = SiteSettings(**tuples(table["site"]))
        return Settings(**table)
    except TypeError as error:  # Python's words name the key
        words = str(error).replace("__init__()", "it")
        raise CourseError(f"{path}: {words}") from None


def tuples(table: Any) -> dict[str, Any]:
    """Return a table with tuples in the place of its lists."""
    return {key: tuple(one) if isinstance(one, list) else one for key, one in table.items()}


@dataclass(frozen=True)
class Course:
    """A checkout of a course, addressed by week (the name of a folder in `solutions/`)."""

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
            if (folder / SETTINGS).is_file() and (folder / "solutions").is_dir():
                return cls(folder)
        raise CourseError(
            f"{start}: no course here or above (a folder with {SETTINGS} and solutions/); "
            "change into your checkout of the course"
        )

    @cached_property
    def settings(self) -> Settings:
        """What `course.toml` says.

        Raises:
            CourseError: it cannot be read as meant.
        """
        return read_settings(self.root / SETTINGS)

    def weeks(self) -> list[str]:
        """Return the weeks that have a source, sorted by name."""
        return sorted(path.parent.name for path in self.root.glob("solutions/*/notebook.py"))

    def points(self, week: str) -> float:
        """Return what all tasks of a week are worth together."""
        return self.settings.points_of.get(self._known(week), self.settings.points)

    def number(self, week: str) -> int:
        """Return the number in the week's name, which its task labels begin with."""
        number = re.search(r"\d+", self._known(week))
        if number is None:
            raise CourseError(
                f"solutions/{week}: the name holds no number; call it weekN_{week}, where N is the "
                "first number of its tasks' labels"
            )
        return int(number[0])

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

    def outline(self, week: str) -> Path | None:
        """Return the file in the students' package that says what was released, for their checks.

        None where the package does not lie in this checkout, or lacks the week.
        """
        folder = package_folder(f"{self.settings.weeks}.week{self.number(week)}")
        inside = folder and folder.resolve().is_relative_to(self.root.resolve())
        return folder / OUTLINE if folder and inside else None

    def known(self, week: str) -> Path | None:
        """Return the file in the students' package that holds the known mistakes, beside that."""
        outline = self.outline(week)
        return outline.with_name(KNOWN) if outline else None

    def checks(self, week: str) -> Path:
        """Return the folder of hidden checks."""
        return self.root / "autograder" / "checks" / f"week{self.number(week)}"

    @property
    def data(self) -> Path:
        """The folder for sets of data that are fetched."""
        return self.root / "data"

    def module_of_week(self, week: str, part: str) -> Path | None:
        """Return the file of a module in the students' package of a week, if there is one.

        Args:
            part: "visible" or "tools".
        """
        folder = package_folder(f"{self.settings.weeks}.week{self.number(week)}")
        files = [folder / f"{part}.py", folder / part / "__init__.py"] if folder else []
        return next((file for file in files if file.is_file()), None)

    def tool_modules(self, week: str) -> list[str]:
        """Return the names of the modules of tools that a week's checks use beside the engine's."""
        found = self.module_of_week(week, "tools")
        return [f"{self.settings.weeks}.week{self.number(week)}.tools"] if found else []

    def locate(self, name: str) -> str:
        """Say why a set of data is not at hand here, or return the empty string."""
        if not self.settings.locate:
            return f"{SETTINGS} names no function `locate` that finds the set {name!r}."
        try:
            load(self.settings.locate)(name, self.data)
        except FileNotFoundError as error:
            return str(error)
        return ""

    def display(self, path: Path) -> str:
        """Return `path` as messages name it: relative to the root, with forward slashes.

        What lies outside, such as an installed package, keeps its whole path.
        """
        inside = path.is_relative_to(self.root)
        return (path.relative_to(self.root) if inside else path).as_posix()

    def _known(self, week: str) -> str:
        if week not in self.weeks():
            known = ", ".join(self.weeks()) or "none yet"
            raise CourseError(f"no week {week!r} in {self.root / 'solutions'}; known: {known}")
        return week


def load(target: str) -> Any:
    """Import what `course.toml` names as "module:name".

    Raises:
        CourseError: there is no such module or name.
    """
    module, _, name = target.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise CourseError(f"{SETTINGS} names {target!r}: {error}") from None


def place_of_module(name: str) -> Path | None:
    """Return the folder of a package or the file of a module in one, without importing either."""
    if folder := package_folder(name):
        return folder
    package, _, module = name.rpartition(".")
    enclosing = package_folder(package) if package else None
    file = enclosing / f"{module}.py" if enclosing else None
    return file if file and file.is_file() else None


def package_folder(name: str) -> Path | None:
    """Return where a package lies, or a part of one, without importing it; None if nowhere."""
    whole, *parts = name.split(".")
    if not whole:
        return None
    spec = importlib.util.find_spec(whole)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]).joinpath(*parts)
    return folder if folder.is_dir() else None
