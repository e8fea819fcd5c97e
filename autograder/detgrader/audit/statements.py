"""Top-level statements of Python: what each defines, what it mentions, what it does besides."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

NEVER_RUN = (ast.Constant, ast.Pass)


@dataclass(frozen=True)
class Import:
    """One import.

    Attributes:
        alias: the name that it gets.
        target: the module's name, with dots before it if that is relative.
        name: what is imported from the module; the empty string for the module itself.
    """

    alias: str
    target: str
    name: str = ""


@dataclass(frozen=True, eq=False)
class Statement:
    """One statement at the top level of a cell or a module."""

    node: ast.stmt

    @cached_property
    def text(self) -> str:
        """All of it but its place and its comments: equal where two statements mean the same."""
        return ast.dump(self.node)

    @cached_property
    def binds(self) -> frozenset[str]:
        """The names that it defines."""
        node = self.node
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            return frozenset({node.name})
        if self.is_import:
            return frozenset(one.alias for one in self.imports)
        inside = [self.node] if self.is_assignment else list(ast.walk(node))
        named = [x for one in inside for x in ast.walk(one) if isinstance(x, ast.Name)]
        return frozenset(x.id for x in named if isinstance(x.ctx, ast.Store | ast.Del))

    @property
    def is_assignment(self) -> bool:
        """Whether it gives values to names, attributes or items."""
        return isinstance(self.node, ast.Assign | ast.AnnAssign | ast.AugAssign)

    @property
    def is_definition(self) -> bool:
        """Whether it is a function or a class."""
        return isinstance(self.node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)

    @cached_property
    def variables(self) -> frozenset[str]:
        """The variables that it mentions."""
        return frozenset(mentioned(self.node, ast.Name))

    @cached_property
    def asked(self) -> Mapping[str, frozenset[str] | None]:
        """For each variable the attributes that are asked of it; None if it is used bare, too."""
        under: dict[ast.AST, str] = {}
        for node in ast.walk(self.node):
            if isinstance(node, ast.Attribute):
                under[node.value] = node.attr
        asked: dict[str, frozenset[str] | None] = {}
        for node in ast.walk(self.node):
            if isinstance(node, ast.Name):
                known = asked.get(node.id, frozenset())
                attribute = under.get(node)
                asked[node.id] = None if known is None or not attribute else known | {attribute}
        return asked

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that it may look up: variables, and strings that are names."""
        return self.variables | self.strings

    @cached_property
    def attributes(self) -> frozenset[str]:
        """What it may ask of an object: attributes, and strings that are names."""
        return frozenset(mentioned(self.node, ast.Attribute)) | self.strings

    @cached_property
    def strings(self) -> frozenset[str]:
        """Names in its strings, such as those of `getattr(student, "area")` or "a b".split()."""
        found: set[str] = set()
        for node in ast.walk(self.node):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words = node.value.split()
                found |= set(words) if all(map(str.isidentifier, words)) else set()
        return frozenset(found)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """What is imported anywhere in it."""
        found: list[Import] = []
        for node in ast.walk(self.node):
            if isinstance(node, ast.Import):
                found += [Import(one.asname or root_of(one.name), one.name) for one in node.names]
            elif isinstance(node, ast.ImportFrom):
                target = "." * node.level + (node.module or "")
                found += [Import(one.asname or one.name, target, one.name) for one in node.names]
        return tuple(found)

    @property
    def is_import(self) -> bool:
        """Whether it is an import."""
        return isinstance(self.node, ast.Import | ast.ImportFrom)

    @cached_property
    def acts(self) -> tuple[str, ...]:
        """What runs when it does, besides defining names: calls, and what changes other objects."""
        return tuple(ast.dump(node) for node in acting_parts(self.node))

    @cached_property
    def acts_on(self) -> frozenset[str]:
        """The names that what runs at once mentions."""
        parts = acting_parts(self.node)
        return frozenset(name for part in parts for name in mentioned(part, ast.Name))


@lru_cache(maxsize=10_000)
def statements_of(source: str) -> tuple[Statement, ...]:
    """Split a source that parses into its top-level statements; docstrings are left out."""
    body = ast.parse(source).body
    return tuple(Statement(node) for node in body if not is_constant(node))


def root_of(name: str) -> str:
    """Return the name of the package that a module is in."""
    return name.partition(".")[0]


def is_constant(node: ast.AST) -> bool:
    """Say whether a statement is a string or another constant, which does nothing."""
    return isinstance(node, ast.Expr) and isinstance(node.value, NEVER_RUN)


def mentioned(node: ast.AST, kind: type[ast.Name | ast.Attribute]) -> Iterator[str]:
    """Yield the variables, or the attributes, that a piece of code mentions."""
    for one in ast.walk(node):
        if isinstance(one, kind):
            yield one.id if isinstance(one, ast.Name) else one.attr


def acting_parts(node: ast.stmt) -> Iterator[ast.AST]:
    """Yield the parts of a statement that run with it and may do more than define its names.

    A function's body does not run; a class's does. Of expressions only calls can do something.
    """
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from node.decorator_list
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            yield from calls_in(default)
    elif isinstance(node, ast.ClassDef):
        yield from node.decorator_list
        for expression in [*node.bases, *(keyword.value for keyword in node.keywords)]:
            yield from calls_in(expression)
        for statement in node.body:
            yield from acting_parts(statement)
    elif isinstance(node, ast.Assign | ast.AnnAssign) and all(map(is_plain, targets_of(node))):
        yield from calls_in(node.value)
    elif not isinstance(node, ast.Import | ast.ImportFrom | ast.Pass) and not is_constant(node):
        yield node


def targets_of(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    """Return what an assignment gives a value to."""
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def is_plain(target: ast.expr) -> bool:
    """Say whether an assignment to this changes names only, no other object."""
    parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
    return all(isinstance(part, ast.Name) for part in parts)


def calls_in(expression: ast.AST | None) -> Iterator[ast.AST]:
    """Yield the calls of an expression that are not inside of others."""
    if isinstance(expression, ast.Call | ast.Await):
        yield expression
    elif expression is not None and not isinstance(expression, ast.Lambda):
        for part in ast.iter_child_nodes(expression):
            if isinstance(part, ast.expr | ast.comprehension | ast.keyword):
                yield from calls_in(part)
