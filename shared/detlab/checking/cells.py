"""What is taken of cells that a student added to a notebook: definitions.

That is functions, classes, imports, and what is set to something that takes no time to find:
numbers and texts, and what arithmetic, a lambda or a few plain calls make of them. A cell is taken
statement by statement: what is left out, or fails, takes nothing else with it.
"""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

KEPT = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
ASSIGNMENTS = (ast.Assign, ast.AnnAssign)
BLOCKS = (ast.If, ast.Try)
# Statements that do nothing by themselves.
EMPTY = (ast.Pass, ast.Raise)
# Expressions that are as quick as what they are made of; and calls that are.
PLAIN = (
    *(ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Starred, ast.Lambda),
    *(ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.JoinedStr),
    *(ast.FormattedValue, ast.Tuple, ast.List, ast.Set, ast.Dict),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)
CALLS = frozenset(
    (
        *("partial", "namedtuple", "NamedTuple", "TypeVar", "device", "tensor", "Path", "range"),
        *("tuple", "list", "dict", "set", "frozenset", "sorted", "zip", "enumerate", "len"),
        *("min", "max", "sum", "abs", "round", "int", "float", "str", "bool", "sqrt", "log", "exp"),
    )
)
# A line for Jupyter, not for Python.
JUPYTER = re.compile(r"^(?=[%!])", re.MULTILINE)
UNDEFINED = re.compile(r"(?:name '|`)(\w+)['`] is not defined")


def without_jupyter(source: str) -> str:
    """Turn a cell's lines for Jupyter, `%matplotlib inline` or `!pip …`, into comments."""
    return JUPYTER.sub("# ", source)


def keep_definitions(tree: ast.Module) -> ast.Module:
    """Drop, in place, all statements but definitions (see above)."""
    tree.body = sort_out(tree)[0]
    return tree


def left_out(tree: ast.Module) -> dict[str, int]:
    """Return the names that a cell sets without effect, with their lines."""
    return sort_out(tree)[1]


def sort_out(tree: ast.Module) -> tuple[list[ast.stmt], dict[str, int]]:
    """Return a cell's definitions, and the names that it sets otherwise, with their lines.

    What is made of such a name is left out as well.
    """
    kept: list[ast.stmt] = []
    lost: dict[str, int] = {}
    for node in tree.body:
        if is_definition(node) and lost.keys().isdisjoint(names_in(node, ast.Load)):
            kept.append(node)
            for name in names_in(node, ast.Store):
                lost.pop(name, None)
        else:
            lost = names_in(node, ast.Store) | lost
    return kept, lost


def names_in(node: ast.stmt, context: type[ast.expr_context]) -> dict[str, int]:
    """Return the names that an assignment reads, or that a statement sets, with their lines.

    What functions and lambdas read they ask for later on.
    """
    top: ast.AST = node
    if context is ast.Load:
        value = node.value if isinstance(node, ASSIGNMENTS) else None
        if value is None or isinstance(value, ast.Lambda):
            return {}
        top = value
    names = [one for one in ast.walk(top) if isinstance(one, ast.Name)]
    return {one.id: one.lineno for one in reversed(names) if isinstance(one.ctx, context)}


def is_definition(node: ast.stmt) -> bool:
    """Say whether a statement only defines something."""
    try:
        if isinstance(node, ASSIGNMENTS) and node.value is not None:
            return is_literal(node.value) or (is_plain(node.value) and sets_names_only(node))
        if isinstance(node, BLOCKS):
            tests = [node.test] if isinstance(node, ast.If) else []
            inner = [*statements_in(node)]
            return all(map(is_plain, tests)) and all(
                isinstance(one, EMPTY) or is_definition(one) for one in inner
            )
    except RecursionError:  # nobody writes a constant in a thousand parts
        return False
    return isinstance(node, KEPT)


def is_literal(node: ast.expr) -> bool:
    """Say whether an expression is a constant as it stands."""
    with contextlib.suppress(ValueError, TypeError):
        ast.literal_eval(node)
        return True
    return False


def sets_names_only(node: ast.Assign | ast.AnnAssign) -> bool:
    """Say whether an assignment sets names, not parts of something."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    parts = [part for one in targets for part in ast.walk(one)]
    return not any(isinstance(part, ast.Attribute | ast.Subscript) for part in parts)


def statements_in(node: ast.If | ast.Try) -> Iterator[ast.stmt]:
    """Yield the statements in all branches."""
    yield from node.body
    yield from node.orelse
    if isinstance(node, ast.Try):
        yield from node.finalbody
        for handler in node.handlers:
            yield from handler.body


def is_plain(node: ast.expr) -> bool:
    """Say whether an expression is found at once."""
    if isinstance(node, ast.Lambda):
        return True
    if isinstance(node, ast.Call):
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else ""
        name = function.id if isinstance(function, ast.Name) else name
        plain = name in CALLS and isinstance(function, ast.Name | ast.Attribute)
    else:
        plain = isinstance(node, PLAIN)
    return plain and all(is_plain(part) for part in parts_of(node))


def parts_of(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions that one is made of."""
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.expr):
            yield part
        elif isinstance(part, ast.keyword | ast.comprehension):
            yield from parts_of(part)


def with_left_out(message: str, cells: Mapping[str, Mapping[str, int]]) -> str:
    """Add to a message about a name that is not defined where it was set in vain.

    Args:
        cells: by cell that a student added, what it sets without effect, with the lines.
    """
    said = []
    for name in dict.fromkeys(UNDEFINED.findall(message)):
        for cell, names in cells.items():
            if name in names:
                said.append(
                    f"`{name}` is set in {cell}, line {names[name]}, which is left out: of cells "
                    "that you add only definitions count, and what is computed is none."
                )
    return "\n".join([message, *said])


def run_definitions(tree: ast.Module, cell: str, namespace: dict[str, Any]) -> BaseException | None:
    """Run the definitions of a cell; return the first error, which ends its statement alone.

    That a constant is made of what another cell, left out, would have set is no error: who misses
    it will say so.
    """
    future = [
        node
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
    ]
    first: BaseException | None = None
    for node in keep_definitions(tree).body:
        body: list[ast.stmt] = [node] if node in future else [*future, node]
        try:
            code = compile(ast.Module(body, []), cell, "exec", dont_inherit=True)
            exec(code, namespace)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            if not (isinstance(error, NameError) and isinstance(node, ASSIGNMENTS)):
                first = first or error
    return first
