"""Texts that others wrote, made fit to be shown."""

import io
import re
import sys
from typing import Any

from detlab.checking.wording import NUMBER

MAX_MESSAGE = 300
DECIMAL = re.compile(
    r"[-+]?(?:\d*\.\d+|\d+\.(?=\s*[\])},])|\d+(?=e[-+]?\d))(?:e[-+]?\d+)?", re.IGNORECASE
)
QUOTED = re.compile(r"'(?!\[)[^']*'|\"[^\"]*\"")
RAISING = re.compile(r"\b(?:raise|assert)\b")
# Where the names come from that everybody knows, as far as these are imported.
KNOWN_MODULES = ("builtins", "numpy", "torch", "torch.nn")


def clean_text(text: Any, length: int = MAX_MESSAGE) -> str:
    """Make a text fit to be shown: short, printable, no control characters."""
    shown = str(text)[: length + 1]
    shown = "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in shown
    )
    return shown if len(shown) <= length else shown[: length - 1] + "…"


def lines_of(source: str) -> list[str]:
    """Split a source into lines where Python's parser does."""
    return io.StringIO(source, newline=None).read().split("\n")


def without_values(words: str, type_name: str, line: str) -> str:
    """Take out of an error's words what may tell a hidden check's inputs, in numbers or letters.

    Of words that the student's code chose nothing is left: the line that chose them is shown. A
    library's words keep whole numbers, which are shapes and positions, and of what they quote what
    stands in the line, and classes that everybody knows.

    Args:
        words: what the error says.
        type_name: its class.
        line: the student's line that it came from, or the empty string.
    """
    known = set(NUMBER.findall(line))

    def hide(found: re.Match[str]) -> str:
        return found[0] if found[0] in known else "…"

    def hide_quoted(found: re.Match[str]) -> str:
        inside = found[0][1:-1]
        return found[0] if is_known(inside) or inside in line else f"{found[0][0]}…{found[0][0]}"

    if RAISING.search(line):
        return ""
    if type_name == "KeyError":  # all of it is the key
        return words if words.strip("'\"") in line else "…"
    # Libraries quote a value that they were given; a shape in quotes begins with a bracket.
    return DECIMAL.sub(hide, QUOTED.sub(hide_quoted, words))


def error_name(name: str) -> str:
    """Return the name of an error's class, if it is not one that somebody made up."""
    return name if is_known(name) else "Exception"


def is_known(name: str) -> bool:
    """Say whether a name is one of Python's or of a library's, not made up by a student."""
    modules = [sys.modules[module] for module in KNOWN_MODULES if module in sys.modules]
    return name in ("NoneType", "function", "method") or any(name in vars(one) for one in modules)
