"""Statements in any text, made comparable: however they are wrapped, whatever their variables.

A text may be a cell's code, a commented-out copy, or a story with code in it. It is taken line by
line, and a line that leaves a bracket open once more, together with those that close it.
"""

from __future__ import annotations

import ast
import copy
import re
import warnings
from collections.abc import Iterator, Set
from functools import lru_cache
from typing import NamedTuple

# Half a statement is no Python; these complete it, so that `for …:` and `elif …:` are understood.
_FRAMES = ("{}", "{} pass", "if 1: pass\n{} pass", "try: pass\n{} pass", "{}\ndef f(): pass")
_MAX_LINES = 40  # a bracket that is open for longer is one in prose
_STRING_OR_COMMENT = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|#.*")
_DISGUISE = re.compile(r"^\s*[#>]+", re.M)

# What makes a line of Python say something. A line of names alone (`return boxes`, `else:`, an
# import, `loss.backward()`, `def forward(self, x):`) stands in any program of its kind.
SAYING = (
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.AugAssign, ast.Subscript, ast.IfExp),
    *(ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.JoinedStr),
)
# From so many steps on, nobody writes the same statement with other names by chance. Measured on
# the 363 statements of the references that take 2 steps or more, against 158,000 such statements
# of torch, torchvision, numpy, matplotlib and torchmetrics: of those with 2 steps, 4 in 10 stand
# there too, of those with 3 steps 1 in 15, of the 57 with 4 none; of the 166 with more there are
# three, two of them in networks for the same purpose. In the releases the richest has 4 steps, and
# is no chance: `torch.optim.AdamW(net.parameters(), weight_decay=0.05)`, a recipe shown afterwards.
MIN_STEPS = 5


class Statement(NamedTuple):
    """One line, or several that belong together."""

    line: int
    text: str


def statements(lines: list[tuple[int, str]]) -> Iterator[Statement]:
    """Yield each of some lines, and after one that leaves a bracket open the whole statement.

    Args:
        lines: (number, text) of each.
    """
    texts = [text for _, text in lines]
    for start, (number, text) in enumerate(lines):
        yield Statement(number, text)
        disguised = bool(_DISGUISE.match(text))
        for end in range(start + 1, min(start + _MAX_LINES, len(lines)) + 1):
            part = "\n".join(texts[start:end])
            part = _DISGUISE.sub("", part) if disguised else part
            if not _is_open(part):
                if end > start + 1:
                    yield Statement(number, part)
                break


def _is_open(text: str) -> bool:
    """Say whether a text cannot end here, as far as brackets and backslashes tell."""
    rest = _STRING_OR_COMMENT.sub("", text)
    return sum(map(rest.count, "([{")) > sum(map(rest.count, ")]}")) or rest.endswith("\\")


@lru_cache(maxsize=1)  # a text is asked for its normal form, then for others
def parsed(text: str) -> ast.Module | None:
    """Return the syntax of a statement or of its head alone, or None if it is no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # prose makes odd Python
        for frame in _FRAMES:
            try:
                return ast.parse(frame.format(text))
            except (SyntaxError, ValueError):
                continue
    return None


def normal(text: str) -> str:
    """Return a statement without layout, quoting or comment: a disguised copy is the same."""
    text = _undisguised(text)
    tree = parsed(text)
    return ast.unparse(tree) if tree and tree.body else "".join(text.split())


def renamed(text: str, fixed: Set[str]) -> Iterator[str]:
    """Yield what is computed in a text, with its variables numbered, if it takes many steps.

    Whether the result is returned or bound to a name makes no difference.

    Args:
        fixed: names that are no variables: builtins, modules, functions, classes.
    """
    tree = parsed(_undisguised(text))
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef | ast.ClassDef):
            part = _value(node)
            if _steps(part) >= MIN_STEPS:
                yield ast.unparse(_Numbered(fixed).visit(copy.deepcopy(part)))


def _undisguised(text: str) -> str:
    return text.strip().lstrip("#>-").strip(" \t`")


def _value(node: ast.stmt) -> ast.AST:
    """Return the expression that a statement evaluates, or its head."""
    if isinstance(node, ast.Return | ast.Assign | ast.AnnAssign | ast.Expr) and node.value:
        return node.value
    head = copy.copy(node)
    for name in ("body", "orelse", "finalbody", "handlers"):
        if getattr(head, name, None):
            setattr(head, name, [ast.Pass()] if name == "body" else [])
    return head


def _steps(part: ast.AST) -> int:
    """Count operations, calls, look-ups and constants."""
    called = {id(node.func) for node in ast.walk(part) if isinstance(node, ast.Call)}
    return sum(_is_step(node) and id(node) not in called for node in ast.walk(part))


def _is_step(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return not isinstance(node.value, bool | type(None) | type(...))
    return isinstance(node, (*SAYING, ast.Call, ast.Dict, ast.NamedExpr, ast.Attribute))


class _Numbered(ast.NodeTransformer):
    """Numbers variables in the order in which they occur."""

    def __init__(self, fixed: Set[str]):
        self.fixed = fixed
        self.numbers: dict[str, str] = {}

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.number(node.id), node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(self.number(node.arg))

    def number(self, name: str) -> str:
        """Return what stands for a name."""
        if name in self.fixed:
            return name
        return self.numbers.setdefault(name, f"v{len(self.numbers)}")
