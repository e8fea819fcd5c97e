"""Which names code defines, and which names a check may ask for, read from syntax alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import detlab.checking

CHECKING = Path(detlab.checking.__file__).parent
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
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef))
    student = next(node for node in classes if node.name == "Student")
    methods = {node.name for node in student.body if isinstance(node, ast.FunctionDef)}
    attributes = {
        node.attr
        for node in ast.walk(student)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and ast.unparse(node.value) == "self"
    }
    return methods | attributes


def of_tools(of_week: Path | None) -> set[str]:
    """Return the names that `student.tool` knows, as `detlab.checking.tools.tools_of` finds them.

    Read, not imported: torch takes two seconds.

    Args:
        of_week: the week's own module of tools, if it has one.
    """
    paths = [*(CHECKING / "tools").glob("[a-z]*.py"), *([of_week] if of_week else [])]
    return {name for path in paths for name in offered(ast.parse(path.read_bytes()))}


def offered(tree: ast.Module) -> Iterator[str]:
    """Yield what a module of tools offers: what `__all__` lists, else the functions it defines."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                yield from ast.literal_eval(value)
                return
    yield from (node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the modules that a file may import: of `from a.b import c` both a.b and a.b.c."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
