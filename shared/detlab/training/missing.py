"""Why a name that a training needs is not there: the task that keeps it from being made.

IPython keeps what was run in a notebook as `In`, and functions that are still to do say so in their
code: both are read here, nothing is run.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

OPEN = re.compile(r"task (\d+\.\d+): replace this line")


def open_task(name: str, namespace: Mapping[str, Any]) -> str:
    """Return the label of the task that keeps a name from being there; "" if none is known.

    Args:
        name: what is missing.
        namespace: of the notebook, with the sources of its cells as `In`.
    """
    for source in reversed([str(cell) for cell in namespace.get("In", ())]):
        try:
            cell = ast.parse(source)
        except SyntaxError:  # lines for Jupyter
            continue
        if name not in set(_made(cell)):
            continue
        if found := OPEN.search(source):
            return found[1]
        for node in ast.walk(cell):
            if isinstance(node, ast.Name) and (label := _label_of(namespace.get(node.id))):
                return label
        return ""
    return ""


def _made(cell: ast.Module) -> Iterator[str]:
    """Yield the names that a cell defines or assigns, when it comes through."""
    for statement in cell.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            parts = ast.walk(statement)
            yield from (
                part.id
                for part in parts
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
            )


def _label_of(value: object) -> str:
    """Return the label in the code of a function that is still to do; "" of all else."""
    constants = getattr(getattr(value, "__code__", None), "co_consts", ())
    words = [text for text in constants if isinstance(text, str)]
    return next((found[1] for text in words if (found := OPEN.match(text))), "")
