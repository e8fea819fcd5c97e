"""Which names code defines, and which names a check may ask for, read from syntax alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import detlab

CHECKING = Path(detlab.__file__).parent / "checking"
TOOLS = ("tools.py", "network_tools.py")  # where `Workbench` finds the tools of checks
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def defined(tree: ast.Module) -> dict[str, int]:
    """Return each name that a module's code binds at top level, and the first line that does."""
    found: dict[str, int] = {}
    for statement in tree.body:
        for name in bound(statement):
            found.setdefault(name, statement.lineno)
    return found


def bound(node: ast.AST) -> Iterator[str]:
    """Yield the names that a statement binds where it stands.

    What a function, a class or a comprehension binds inside stays there.
    """
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
            return
        case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.alias():
            yield node.asname or node.name.split(".")[0]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            yield name
    for child in ast.iter_child_nodes(node):
        yield from bound(child)


def of_student() -> set[str]:
    """Return the names that a check's `student` has of its own, whatever the notebook defines."""
    tree = ast.parse((CHECKING / "student.py").read_bytes())
    (student,) = (node for node in tree.body if getattr(node, "name", None) == "Student")
    methods = {node.name for node in student.body if isinstance(node, ast.FunctionDef)}
    attributes = {
        node.attr
        for node in ast.walk(student)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and ast.unparse(node.value) == "self"
    }
    return methods | attributes


def of_tools() -> set[str]:
    """Return the names that `student.tool` knows. Read, not imported: torch takes two seconds."""
    trees = [ast.parse((CHECKING / file).read_bytes()) for file in TOOLS]
    return {node.name for tree in trees for node in tree.body if isinstance(node, Definition)}
