"""What a hidden check is made of: of all the course's own code, the statements that it can reach.

From a test function the variables that it mentions lead to other statements of its file and,
through imports, of other modules. Libraries end the way: their versions say what they are.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections import defaultdict
from collections.abc import Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from detgrader.audit.statements import Statement, statements_of
from detgrader.fingerprints import is_own

# The engine's own modules know no course, and so ask a student for nothing by name.
ENGINE = ("detgrader.", "detlab.checking.")


@dataclass(frozen=True)
class Module:
    """A file of the course's own, or of the engine's."""

    name: str
    path: Path

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """Its top-level statements."""
        return statements_of(self.path.read_text("utf-8"))

    @cached_property
    def by_name(self) -> dict[str, list[Statement]]:
        """Its statements by the names that they define."""
        found: dict[str, list[Statement]] = defaultdict(list)
        for statement in self.statements:
            for name in statement.binds:
                found[name].append(statement)
        return dict(found)

    def absolute(self, target: str) -> str:
        """Return the whole name of a module that is imported here, maybe by a relative one."""
        name = target.lstrip(".")
        level = len(target) - len(name)
        parts = self.name.split(".")
        package = parts[: len(parts) - level + (self.path.name == "__init__.py")]
        return ".".join([*package, *filter(None, [name])]) if level else name


class Sources:
    """The modules that are no library's, each read once."""

    def __init__(self) -> None:
        self.known: dict[str, Module | None] = {}

    def module(self, name: str) -> Module | None:
        """Return a module; None for a library's, or one that is not there."""
        if name not in self.known:
            self.known[name] = self.find(name)
        return self.known[name]

    def find(self, name: str) -> Module | None:
        """Look for a module; nothing is imported on the way but the course's own packages."""
        parent = name.rpartition(".")[0]
        package = self.module(parent) if parent else None
        if not name or (parent and not (package and package.path.name == "__init__.py")):
            return None
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            return None
        path = Path(spec.origin) if spec and spec.origin else None
        return Module(name, path) if path and is_own(path) else None


class Reach:
    """The statements that can be reached from where one starts.

    Attributes:
        taken: by module.
        followed: what is imported, of the course's own or of a library: a module, a name in it, and
            the attributes that are asked of that.
    """

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.taken: dict[Module, dict[Statement, None]] = {}
        self.followed: set[tuple[str, str, Set[str] | None]] = set()

    def all_of(self, module: Module) -> None:
        """Go on from all of a module."""
        self.enter(module)
        for statement in module.statements:
            self.take(module, statement)

    def from_name(self, module: Module, name: str, asked: Set[str] | None = None) -> None:
        """Go on from what a name means at the top level of a module.

        Args:
            asked: the attributes that are asked of it, if nothing else is done with it.
        """
        self.enter(module)
        for statement in module.by_name.get(name, ()):
            if statement.is_import:
                for one in statement.imports:
                    if one.alias == name:
                        self.follow(module.absolute(one.target), one.name, asked)
            else:
                self.take(module, statement)

    def enter(self, module: Module) -> None:
        """Take what runs whenever a module is imported, its packages' too."""
        if module in self.taken:
            return
        self.taken[module] = {}
        if parent := self.sources.module(module.name.rpartition(".")[0]):
            self.enter(parent)
        for statement in module.statements:
            if statement.acts and not statement.is_definition:
                self.take(module, statement)

    def take(self, module: Module, statement: Statement) -> None:
        """Take a statement, and go on from what it mentions."""
        if statement in self.taken[module]:
            return
        self.taken[module][statement] = None
        for name in statement.variables & module.by_name.keys():
            self.from_name(module, name, statement.asked[name])
        for one in statement.imports:
            self.follow(module.absolute(one.target), one.name)

    def follow(self, target: str, name: str = "", asked: Set[str] | None = None) -> None:
        """Go on to what is imported.

        Args:
            target: a module's name.
            name: what is imported from it; the empty string is the module itself.
            asked: the attributes that are asked of it, if nothing else is done with it.
        """
        step = target, name, asked
        if step in self.followed:
            return
        self.followed.add(step)
        module = self.sources.module(target)
        part = self.sources.module(f"{target}.{name}") if module and name else None
        if part and asked is not None:
            self.enter(part)
            for attribute in asked:
                self.follow(part.name, attribute)
        elif module and not part and name in module.by_name:
            self.from_name(module, name, asked)
        elif whole := part or module:
            self.all_of(whole)

    @cached_property
    def digest(self) -> str:
        """A hash of all of it."""
        texts = sorted(
            (module.name, [one.text for one in module.statements if one in taken])
            for module, taken in self.taken.items()
        )
        imports = sorted({(target, name) for target, name, _ in self.followed})
        return hashlib.sha256(repr([texts, imports]).encode()).hexdigest()

    @cached_property
    def mentions(self) -> frozenset[str]:
        """What may be asked of a student: attributes, and names in strings."""
        return frozenset(
            name
            for module, taken in self.taken.items()
            if not module.name.startswith(ENGINE)
            for statement in taken
            for name in statement.attributes
        )
