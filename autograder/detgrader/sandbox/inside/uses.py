"""What a cell's source mentions, read from its syntax: nothing of it runs.

Names that are put together from constants are seen as if they were written out: `"det" + "lab"`,
`f"__{'code'}__"`, `"sedoc"[::-1]`. What a program computes otherwise is not; who wants to hide
something finds a way, and then meets the walls that hold without any of this.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from detlab.checking.cells import left_out

# A constant that is longer cannot be a name; nor is one computed that would be.
MAX_TEXT = 80
IDENTIFIERS = re.compile(r"[A-Za-z_][\w.]*\Z")
LOOK_UP = ("getattr", "setattr", "delattr", "hasattr")
CHANGE = ("setattr", "delattr")
# Methods of a text that make another one, with the number of their arguments.
OF_TEXTS = {"join": 1, "replace": 2, "lower": 0, "upper": 0, "strip": 0, "swapcase": 0}


def aliases_of(tree: ast.AST) -> dict[str, str]:
    """Return what imported names stand for: `np` for "numpy", `nn` for "torch.nn"."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                first = one.name.partition(".")[0]
                found[one.asname or first] = one.name if one.asname else first
        elif isinstance(node, ast.ImportFrom):
            for one in node.names:
                found[one.asname or one.name] = f"{node.module or ''}.{one.name}".lstrip(".")
    return found


class Uses:
    """What a cell mentions, each with the line where it does so first.

    Attributes:
        names: variables, attributes and parts of imports.
        calls: names that are called by themselves, as in `eval(text)`.
        paths: what is imported, and attributes of that, as "sys.modules".
        texts: constants that could be names.
        changed: attributes of what is imported that are set or deleted.
        computed: modules of which an attribute is asked by a name that is not a constant.
        binds: what the cell gives a meaning to for other cells; a function's own names are not.
        left_out: what of that does not count in a cell that a student added.
        data: what its constants weigh, in bytes: "literals" those of numbers and texts, "largest"
            the heaviest of them, at "line", and "docstrings" those of docstrings.
    """

    def __init__(self, tree: ast.AST, aliases: Mapping[str, str]):
        self.aliases = aliases
        self.constants = Constants()
        self.names: dict[str, int] = {}
        self.calls: dict[str, int] = {}
        self.paths: dict[str, int] = {}
        self.texts: dict[str, int] = {}
        self.changed: dict[str, int] = {}
        self.computed: dict[str, int] = {}
        self.binds = names_for_others(tree)
        self.left_out = left_out(tree) if isinstance(tree, ast.Module) else {}
        self.data = {"literals": 0, "largest": 0, "line": 1, "docstrings": 0}
        # What a cell calls by an import's name may be something else: `def train(net, optim): …`.
        nodes = list(ast.walk(tree))
        self.own = names_of_its_own(nodes)
        docstrings = docstrings_of(nodes)
        for node in nodes:
            self.look_at(node)
            if isinstance(node, ast.Constant):
                self.weigh(node, node in docstrings)

    def look_at(self, node: ast.AST) -> None:
        """Take in what one part of the syntax mentions."""
        line = getattr(node, "lineno", 1)
        if isinstance(node, ast.Name):
            self.names.setdefault(node.id, line)
            self.see_path(self.aliases.get(node.id, ""), line)
        elif isinstance(node, ast.Attribute):
            self.names.setdefault(node.attr, line)
            path = self.path_of(node)
            self.see_path(path, line)
            if path and not isinstance(node.ctx, ast.Load) and self.is_module(node.value):
                self.changed.setdefault(path, line)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self.see_import(node, line)
        elif isinstance(node, ast.Call):
            self.see_call(node, line)
        elif isinstance(node, ast.expr):
            self.see_text(node, line)

    def weigh(self, node: ast.Constant, is_docstring: bool) -> None:
        """Add what a constant weighs."""
        weight = weight_of(node.value)
        if is_docstring:
            self.data["docstrings"] += weight
            return
        self.data["literals"] += weight
        if weight > self.data["largest"]:
            self.data |= {"largest": weight, "line": node.lineno}

    def see_text(self, node: ast.expr, line: int) -> None:
        """Note a constant that could be a name."""
        text = self.constants.text(node)
        if text and IDENTIFIERS.match(text):
            self.texts.setdefault(text, line)

    def see_path(self, path: str, line: int) -> None:
        """Note a dotted path."""
        if path:
            self.paths.setdefault(path, line)

    def see_import(self, node: ast.Import | ast.ImportFrom, line: int) -> None:
        """Note what an import names."""
        for one in node.names:
            path = one.name
            if isinstance(node, ast.ImportFrom):
                path = f"{node.module or ''}.{one.name}".lstrip(".")
                for part in (node.module or "").split("."):
                    self.names.setdefault(part, line)
            for part in one.name.split("."):
                self.names.setdefault(part, line)
            self.see_path(path, line)

    def see_call(self, node: ast.Call, line: int) -> None:
        """Note what is called, and what a look-up by name asks for."""
        self.see_text(node, line)
        if not isinstance(node.func, ast.Name):
            return
        self.calls.setdefault(node.func.id, line)
        if node.func.id not in LOOK_UP or len(node.args) < 2:
            return
        owner, name = self.path_of(node.args[0]), self.constants.text(node.args[1])
        if name is not None:
            self.names.setdefault(name, line)
        if owner and name:
            self.see_path(f"{owner}.{name}", line)
        elif owner and self.is_module(node.args[0]):
            self.computed.setdefault(owner, line)
        if owner and node.func.id in CHANGE and self.is_module(node.args[0]):
            self.changed.setdefault(f"{owner}.{name or '…'}", line)

    def is_module(self, node: ast.AST) -> bool:
        """Say whether a chain of attributes begins with what was imported, and nothing else."""
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id not in self.own

    def path_of(self, node: ast.AST) -> str:
        """Return the dotted path of attributes of something imported, or the empty string."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.aliases:
            return ""
        return ".".join([self.aliases[node.id], *reversed(parts)])

    def as_json(self) -> dict[str, dict[str, int]]:
        """Return all of it but what it was made with."""
        kept = ("names", "calls", "paths", "texts", "changed", "computed", "binds", "data")
        return {name: getattr(self, name) for name in (*kept, "left_out")}


def names_for_others(tree: ast.AST) -> dict[str, int]:
    """Return the names that a cell binds outside of functions and classes, with their lines."""
    found: dict[str, int] = {}
    waiting = list(ast.iter_child_nodes(tree))
    while waiting:
        node = waiting.pop()
        line = getattr(node, "lineno", 1)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.setdefault(node.name, line)
            names = [
                one
                for inner in ast.walk(node)
                if isinstance(inner, ast.Global)
                for one in inner.names
            ]
            found |= dict.fromkeys(names, line)
            continue
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.setdefault(node.id, line)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            named = [one.asname or one.name.partition(".")[0] for one in node.names]
            found |= dict.fromkeys(named, line)
        elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
            found.setdefault(node.name, line)
        waiting += ast.iter_child_nodes(node)
    return found


def names_of_its_own(nodes: list[ast.AST]) -> set[str]:
    """Return the names of parameters, and of variables that are assigned."""
    stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return stored | {node.arg for node in nodes if isinstance(node, ast.arg)}


def docstrings_of(nodes: list[ast.AST]) -> set[ast.expr]:
    """Return the constants that are docstrings."""
    found = set[ast.expr]()
    for node in nodes:
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found.add(first.value)
    return found


def weight_of(value: object) -> int:
    """Return how many bytes a constant can carry."""
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, int):
        return (value.bit_length() + 7) // 8
    return {float: 8, complex: 16}.get(type(value), 0)


class Constants:
    """The texts that expressions have whatever happens, each found once."""

    def __init__(self) -> None:
        self.known: dict[ast.AST, str | None] = {}

    def text(self, node: ast.AST | None) -> str | None:
        """Return an expression's text, or None if it has none, or hangs on more than constants."""
        if node is None:
            return None
        if node not in self.known:
            try:
                text = self.find(node)
            except RecursionError:  # nobody writes a name in a thousand parts
                text = None
            self.known[node] = text if text is not None and len(text) <= MAX_TEXT else None
        return self.known[node]

    def find(self, node: ast.AST) -> str | None:
        """Work an expression's text out."""
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self.joined([node.left, node.right])
        if isinstance(node, ast.JoinedStr):
            return self.joined(node.values)
        if isinstance(node, ast.FormattedValue):
            plain = node.format_spec is None and node.conversion == -1
            return self.text(node.value) if plain else None
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            return self.part(self.text(node.value), node.slice)
        if isinstance(node, ast.Call) and not node.keywords:
            return self.called(node.func, node.args)
        return None

    def joined(self, nodes: list[ast.expr], between: str = "") -> str | None:
        """Return texts in a row."""
        texts = [self.text(node) for node in nodes]
        known = [text for text in texts if text is not None]
        return between.join(known) if len(known) == len(texts) else None

    def part(self, text: str | None, part: ast.Slice) -> str | None:
        """Return a slice of a text: `"sedoc"[::-1]`."""
        bounds = [whole_number(bound) for bound in (part.lower, part.upper, part.step)]
        if text is None or ... in bounds or bounds[2] == 0:
            return None
        return text[slice(*bounds)]

    def called(self, function: ast.expr, arguments: list[ast.expr]) -> str | None:
        """Return what a call makes of constants: `chr(95)`, `"".join(["a", "b"])` and the like."""
        if isinstance(function, ast.Name) and function.id == "chr" and len(arguments) == 1:
            code = whole_number(arguments[0])
            return chr(code) if isinstance(code, int) and 0 <= code < 0x110000 else None
        if not isinstance(function, ast.Attribute):
            return None
        owner, method = self.text(function.value), function.attr
        if owner is None or OF_TEXTS.get(method) != len(arguments):
            return None
        if method == "join":
            items = arguments[0]
            return self.joined(items.elts, owner) if isinstance(items, ast.List) else None
        texts = [text for one in arguments if (text := self.text(one)) is not None]
        return str(getattr(owner, method)(*texts)) if len(texts) == len(arguments) else None


def whole_number(node: ast.expr | None) -> Any:
    """Return an integer constant; None for nothing, an ellipsis for something else."""
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, node = -1, node.operand
    if node is None:
        return None
    if isinstance(node, ast.Constant) and type(node.value) is int and abs(node.value) < 1 << 31:
        return sign * node.value
    return ...
