"""Find the marks in a file of checks by its syntax alone.

What is meant stays with `detgrader.grading.marks`; here is only where marks may stand.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from detgrader.grading import marks

PLAIN_TASK = 'write the mark with plain values: pytest.mark.task("1.5", points=15)'


@dataclass(frozen=True)
class Mark:
    """A mark as it is written.

    Attributes:
        arguments: values of literals; `...` for any other expression, which only pytest can know.
        plain: whether all arguments, options among them, are literals.
    """

    name: str
    line: int
    arguments: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    plain: bool = True

    @property
    def fault(self) -> str:
        """What is wrong with it as far as can be read, or nothing."""
        if self.plain:
            return marks.fault_of(self.name, self.arguments, self.options)
        return marks.unknown(self.name) or (PLAIN_TASK if self.name == "task" else "")


class Reader:
    """Reads the marks of one file, by whatever name it imports pytest.

    Attributes:
        marks: all marks of the file, wherever they stand.
    """

    def __init__(self, tree: ast.Module):
        self.tree = tree
        self.prefixes = set(_prefixes(tree))
        called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        nodes = [node for node in ast.walk(tree) if id(node) not in called]
        self.marks = [mark for node in nodes if (mark := self.read(node))]

    def read(self, node: ast.AST) -> Mark | None:
        """Return the mark that an expression is, or None."""
        name = node.func if isinstance(node, ast.Call) else node
        if not isinstance(name, ast.Attribute) or ast.unparse(name.value) not in self.prefixes:
            return None
        if not isinstance(node, ast.Call):
            return Mark(name.attr, name.lineno)
        arguments = tuple(map(_value, node.args))
        options = {option.arg or "**": _value(option.value) for option in node.keywords}
        plain = ... not in (*arguments, *options.values())
        return Mark(name.attr, node.lineno, arguments, options, plain)

    def of_file(self) -> list[Mark]:
        """Return the marks of `pytestmark`, which hold for every check of the file."""
        return [mark for one in self._pytestmark() if (mark := self.read(one))]

    def of_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[Mark]:
        """Return the marks that decorate a function."""
        return [mark for one in node.decorator_list if (mark := self.read(one))]

    def faults(self) -> Iterator[tuple[int, str]]:
        """Yield what is wrong with the marks by themselves: the line, and words."""
        for mark in self.marks:
            if mark.fault:
                yield mark.line, mark.fault
        for one in self._pytestmark():
            if not self.read(one):
                yield one.lineno, "pytestmark is a mark, pytest.mark.…, or a list of marks"
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Expr) and self.read(node.value):
                yield node.lineno, "this mark marks nothing; put an @ before it, above the check"

    def _pytestmark(self) -> Iterator[ast.expr]:
        """Yield what is assigned to `pytestmark`, item by item."""
        for node in self.tree.body:
            if not isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
                continue
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            value = node.value
            if value and any(getattr(one, "id", "") == "pytestmark" for one in targets):
                yield from value.elts if isinstance(value, ast.List | ast.Tuple) else [value]


def _prefixes(tree: ast.Module) -> Iterator[str]:
    """Yield the expressions that mean `pytest.mark` in a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"{a.asname or a.name}.mark" for a in node.names if a.name == "pytest")
        elif isinstance(node, ast.ImportFrom) and node.module == "pytest":
            yield from (alias.asname or alias.name for alias in node.names if alias.name == "mark")


def _value(node: ast.expr) -> object:
    """Return a literal's value, or `...` for any other expression."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        return ...
