"""Does a line of a solution stand anywhere in the release?

A region that is cut can still be given away by a worked example, a commented-out copy or a
sentence in the story. So every line of every solution is looked for in everything released, and
every statement too, lest it be wrapped in another way or have other names for its variables.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator, Sequence

from nbformat import NotebookNode

from detgrader.authoring.names import bound
from detgrader.authoring.regions import BEGIN, marker
from detgrader.authoring.source import ANSWERS, Problem, Source, SourceCell
from detgrader.authoring.statements import SAYING, normal, parsed, renamed, statements

MIN_CHARACTERS = 12  # shorter lines (`x = x + 1`) are met by chance
_WORDS = 4  # in prose, a comment, or one line of a longer call: `stride=2,` is not an answer
_DEFINING = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def problems(source: Source, released: NotebookNode) -> Iterator[Problem]:
    """Yield a problem for each line and each statement of a solution that a release holds."""
    places: list[tuple[str, object]] = [
        (f"cell {cell.id} of the release", cell) for cell in released.cells
    ]
    places.append(("the notebook's metadata of the release", released.metadata))
    return problems_in([source], places)


def problems_in(
    sources: Sequence[Source], places: Iterable[tuple[str, object]]
) -> Iterator[Problem]:
    """Yield a problem for each line and each statement of a solution that a student could read.

    Args:
        places: what students can read, each with the words that say where it stands.
    """
    fixed = set().union(*map(_fixed_names, sources))
    same: dict[str, str] = {}  # where each public statement stands, by its normal form
    alike: dict[str, tuple[str, str]] = {}  # and the same, by what it is but for its variables
    for place, text in _public_statements(places):
        same.setdefault(normal(text), place)
        for other in renamed(text, fixed):
            alike.setdefault(other, (place, text))
    for week, cell in ((source, cell) for source in sources for cell in source.cells):
        for line, text in statements(list(solution_lines(cell))):
            form = next(filter(alike.get, renamed(text, fixed)), None)
            if (found := same.get(normal(text))) and says_something(text):
                what = "statement" if "\n" in text else "line"
                words = f"this {what} of the solution stands in {found}"
                yield week.problem(line, f"{words}: {_short(text)}; reword one of the two")
            elif form:
                place, copy = alike[form]
                words = "this statement of the solution stands, but for its names, in "
                words += f"{place}, {_short(copy)}"
                yield week.problem(line, f"{words}: {_short(text)}; reword one of the two")


def _short(text: str) -> str:
    """Quote a statement on one line."""
    return repr(" ".join(text.split()))


def _fixed_names(source: Source) -> set[str]:
    """Return names that mean the same wherever they stand in a notebook."""
    trees = [tree for cell in source.cells if (tree := cell.tree)]
    nodes = [node for tree in trees for node in tree.body if isinstance(node, _DEFINING)]
    return {*dir(builtins), *(name for node in nodes for name in bound(node))}


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


def _public_statements(places: Iterable[tuple[str, object]]) -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each line and each statement that students can read."""
    for place, node in places:
        for text in _strings(node):
            lines = list(enumerate(text.splitlines()))
            yield from ((place, found.text) for found in statements(lines))
            # Code within a sentence counts as a line, and may go on in the next.
            spans = re.findall(r"`+([^`]{1,300})`+", text)
            yield from ((place, " ".join(span.split())) for span in spans)


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


def says_something(text: str) -> bool:
    """Say whether a line gives an answer away, rather than being what everybody writes."""
    text = text.strip()
    if len(text) < MIN_CHARACTERS:
        return False
    tree = None if text.endswith(",") else parsed(text)
    if tree is None or not tree.body:
        return len(re.findall(r"\w+", text)) >= _WORDS
    return any(_node_says(node) for node in ast.walk(tree))


def _node_says(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return bool(node.args or node.keywords)
    if isinstance(node, ast.Constant):
        return not isinstance(node.value, (bool, type(None), type(...)))
    return isinstance(node, SAYING)
