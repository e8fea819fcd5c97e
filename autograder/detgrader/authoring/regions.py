"""Solution regions: where they begin and end, and what of an answer stands outside of them.

nbgrader cuts what stands between the markers, and everything else goes out as it is. So whatever
an answer cell holds outside of a region must be something that students are meant to have.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Set

from detgrader.authoring.names import Definition, bound
from detgrader.authoring.source import ANSWERS, Problem, Source, SourceCell

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"

# nbgrader cuts only between the literal words, and says nothing about a line that nearly has
# them: all of these would hand out the answer. The last two are nbgrader's own, for other uses.
_ALMOST_MARKER = re.compile(
    r"""\b(BEGIN|END)(_|\W)*(\w+(_|\W)+){0,3}?(SOLUTION|ANSWER)
    | ^\W*(?i:begin|start|end|stop)(_|\W)*(\w+(_|\W)+){0,2}?(?i:solution|answer)s?\W*$
    | ^\W*(?i:solution|answer)s?(_|\W)+(?i:begin|start|end|stop)s?\W*$
    | ^\s*\#{3,}\s*(?i:begin|end)\s+\w+\W*$
    | ^\s*\#+\s*(BEGIN|END)\b
    | \b(BEGIN|END)\ (HIDDEN\ TESTS|MARK\ SCHEME)""",
    re.VERBOSE,
)

# An author's word that a statement is for students: the end of its first line, or of any line
# before its body. It stays in the release, where it says just what it means.
_GIVEN = re.compile(r"#\s*given\b")
_ADVICE = "or, if students are to have it, end its first line with `# given`"
_ADVICE_READY = f"leave it to an answer cell and its solution region, {_ADVICE}"


def marker(text: str) -> str | None:
    """Return BEGIN or END when a line is that marker; prose may hide it in an HTML comment."""
    words = text.strip().removeprefix("<!-- ").removesuffix(" -->")
    return words if words in (BEGIN, END) else None


def region_lines(cell: SourceCell) -> Iterator[int]:
    """Yield the numbers, in the source file, of the lines that are cut from an answer."""
    inside = False
    for line, text in cell.lines():
        if found := marker(text):
            inside = found == BEGIN
        elif inside:
            yield line


def marker_problems(source: Source, cell: SourceCell) -> Iterator[Problem]:
    """Solution regions open and close, in answers only, with nbgrader's exact words."""
    opened = None
    regions = 0
    for line, text in cell.lines():
        found = marker(text)
        if found is None:
            if _ALMOST_MARKER.search(text):
                yield source.problem(
                    line,
                    f"{text.strip()!r} looks like a marker, but nbgrader would not cut there as "
                    f"meant; write exactly `{BEGIN}` or `{END}`, or reword it",
                )
        elif cell.kind not in ANSWERS:
            yield source.problem(
                line, f'`{found}` outside an answer cell; move it, or add "solution": true'
            )
        elif found == BEGIN:
            if opened is not None:
                yield source.problem(line, f"`{BEGIN}` inside the region of line {opened}; end it")
            opened, regions = line, regions + 1
        elif opened is None:
            yield source.problem(line, f"`{END}` without a `{BEGIN}` before it; add that")
        else:
            opened = None
    if opened is not None:
        yield source.problem(opened, f"`{BEGIN}` without an `{END}` in its cell; add that")
    if cell.kind == "answer" and not regions:
        text = f"{cell.name} has no solution region; put `{BEGIN}` and `{END}` around the answer"
        yield source.problem(cell.line, text)


def outside_problems(source: Source, cell: SourceCell, asked: Set[str]) -> Iterator[Problem]:
    """Yield a problem for whatever an answer cell, or the setup cell, would release finished.

    Outside of the regions of an answer may stand: heads of functions and classes, docstrings,
    imports, what does nothing (`super().__init__()` among it), and what is named as given.
    The setup cell is all given; but what a check asks for is an answer, and belongs elsewhere.

    Args:
        asked: names that checks ask a student for.
    """
    tree = cell.tree if cell.kind == "answer" or cell.name == "setup" else None
    if tree is not None:
        outside = _Outside(cell, tree, asked)
        found = outside.of(tree.body) if cell.kind == "answer" else outside.ready_made(tree.body)
        for node, words in found:
            yield source.problem(node.lineno + cell.body - 1, words)


class _Outside:
    """What stands outside of the solution regions of one cell."""

    def __init__(self, cell: SourceCell, tree: ast.Module, asked: Set[str]):
        self.asked = asked
        self.lines = cell.code.split("\n")
        self.cut = {line - cell.body + 1 for line in region_lines(cell)}
        tokens = tokenize.generate_tokens(io.StringIO(cell.code).readline)
        self.given = {token.start[0] for token in tokens if _is_given(token)}
        self.types = {
            part.id
            for node in ast.walk(tree)
            for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None))
            if isinstance(annotation, ast.expr)
            for part in ast.walk(annotation)
            if isinstance(part, ast.Name)
        }

    def of(self, body: list[ast.stmt], top: bool = True) -> Iterator[tuple[ast.stmt, str]]:
        """Yield each statement that would go out finished, and words for its author."""
        for node in body:
            lines, head = self.extent(node)
            if lines <= self.cut:
                continue
            inside = list(_bodies(node))
            given = bool(head & self.given)
            holds = bool(lines & self.cut)
            if given and not (inside and holds):
                continue
            nested = [each for part in inside for each in self.of(part, top=False)]
            if isinstance(node, Definition):
                yield from nested if holds else [(node, _finished(node.name))] * bool(nested)
            elif not self.is_harmless(node):
                if not given:
                    yield node, self.words(node)
                yield from nested if holds else ()
            elif top:
                yield from self.ready_made([node])

    def ready_made(self, body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str]]:
        """Yield each statement that binds a name which checks ask for, and words."""
        for node in body:
            if not self.extent(node)[1] & self.given:
                for name in sorted(self.asked & set(bound(node))):
                    yield node, f"checks ask for {name}, which is ready-made here; {_ADVICE_READY}"

    def extent(self, node: ast.stmt) -> tuple[set[int], set[int]]:
        """Return the lines of a statement, and those of them that come before its body."""
        decorators = getattr(node, "decorator_list", [])
        first = min(part.lineno for part in (node, *decorators))
        lines = set(range(first, (node.end_lineno or first) + 1))
        body = next(_bodies(node), None)
        return lines, {n for n in lines if n < body[0].lineno} | {first} if body else lines

    def is_harmless(self, node: ast.stmt) -> bool:
        """Say whether a statement gives nothing away, or is needed to read a function's head."""
        match node:
            case ast.Import() | ast.ImportFrom() | ast.AnnAssign(value=None):
                return True
            case ast.Pass() | ast.Global() | ast.Nonlocal():
                return True
            case ast.Expr(value=ast.Constant()):  # a docstring, or `...`
                return True
            case ast.Raise(exc=ast.Name(id=name) | ast.Call(func=ast.Name(id=name))):
                return name == "NotImplementedError"
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=parent, attr="__init__"))):
                return ast.unparse(parent) == "super()"
            case ast.Assign(targets=[ast.Name(id=name)]):  # a type that heads are written with
                return name in self.types
        return False

    def words(self, node: ast.stmt) -> str:
        """Tell the author of a statement."""
        text = self.lines[node.lineno - 1].strip()
        return (
            f"{text!r} stands outside of the solution regions and is released as it is; move the "
            f"markers, {_ADVICE}"
        )


def _finished(name: str) -> str:
    return (
        f"{name} stands outside of the solution regions and is released finished; put `{BEGIN}` "
        f"and `{END}` around its answer, {_ADVICE}"
    )


def _bodies(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Yield the blocks of a compound statement, in their order."""
    handlers = getattr(node, "handlers", []) + getattr(node, "cases", [])
    blocks = [getattr(node, "body", []), *(part.body for part in handlers)]
    blocks += [getattr(node, "orelse", []), getattr(node, "finalbody", [])]
    yield from filter(None, blocks)


def _is_given(token: tokenize.TokenInfo) -> bool:
    return token.type == tokenize.COMMENT and bool(_GIVEN.match(token.string))
