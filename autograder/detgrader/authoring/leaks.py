"""Does a line of a solution stand anywhere in the release?

A region that is cut can still be given away by a worked example, a commented-out copy or a
sentence in the story. So every line of every solution is looked for in everything released.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

from nbformat import NotebookNode

from detgrader.authoring.rules import BEGIN, marker
from detgrader.authoring.source import ANSWERS, Problem, Source, SourceCell

MIN_CHARACTERS = 12  # shorter lines (`x = x + 1`) are met by chance

# What makes a line of Python say something. A line of names alone (`return total`, `else:`, an
# import, `loss.backward()`, `def forward(self, x):`) stands in any program of its kind.
_SAYING = (
    *(ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.AugAssign, ast.Subscript, ast.IfExp),
    *(ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.JoinedStr),
)
# Half a statement is no Python; these complete it, so that `for …:` and `elif …:` are understood.
_FRAMES = ("{}", "{} pass", "if 1: pass\n{} pass", "try: pass\n{} pass", "{}\ndef f(): pass")
_WORDS = 4  # in prose, a comment, or one line of a longer call: `stride=2,` is not an answer


def problems(source: Source, released: NotebookNode) -> Iterator[Problem]:
    """Return a problem for each line of a solution that a student could read."""
    public = _public_lines(released)
    for cell in source.cells:
        for line, text in solution_lines(cell):
            place = public.get(_normal(text))
            if place and says_something(text):
                yield source.problem(
                    line,
                    f"this line of the solution stands in {place} of the release: "
                    f"{text.strip()!r}; reword one of the two",
                )


def solution_lines(cell: SourceCell) -> Iterator[tuple[int, str]]:
    """Return (line number, text) of what the release must not hold: regions, else all prose."""
    if cell.kind not in ANSWERS:
        return
    lines = cell.lines()
    inside = not any(marker(text) == BEGIN for _, text in lines)
    for line, text in lines:
        if found := marker(text):
            inside = found == BEGIN
        elif inside:
            yield line, text


def _public_lines(released: NotebookNode) -> dict[str, str]:
    """Return where each line of the release stands, by its normal form."""
    places = [(f"cell {cell.id}", cell) for cell in released.cells]
    places.append(("the notebook's metadata", released.metadata))
    public: dict[str, str] = {}
    for place, node in places:
        for text in _strings(node):
            spans = re.findall(r"`+([^`\n]+)`+", text)  # code within a sentence counts as a line
            for line in [*text.splitlines(), *spans]:
                public.setdefault(_normal(line), place)
    return public


def _strings(node: object) -> Iterator[str]:
    """Return every text in a notebook node: source, outputs, attachments, metadata."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from _strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from _strings(value)


def _normal(text: str) -> str:
    """Return a line without layout, quoting or comment, so that a disguised copy is the same."""
    text = text.strip().lstrip("#>-").strip(" \t`")
    tree = _parsed(text)
    return ast.unparse(tree) if tree and tree.body else "".join(text.split())


def _parsed(text: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # prose makes odd Python
        for frame in _FRAMES:
            try:
                return ast.parse(frame.format(text))
            except (SyntaxError, ValueError):
                continue
    return None


def says_something(text: str) -> bool:
    """Say whether a line gives an answer away, rather than being what everybody writes."""
    text = text.strip()
    if len(text) < MIN_CHARACTERS:
        return False
    tree = None if text.endswith(",") else _parsed(text)
    if tree is None or not tree.body:
        return len(re.findall(r"\w+", text)) >= _WORDS
    return any(_node_says(node) for node in ast.walk(tree))


def _node_says(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return bool(node.args or node.keywords)
    if isinstance(node, ast.Constant):
        return not isinstance(node.value, (bool, type(None), type(...)))
    return isinstance(node, _SAYING)
