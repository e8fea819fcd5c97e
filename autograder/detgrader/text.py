"""Texts that others wrote, made fit to be shown."""

import io
import re
from typing import Any

MAX_MESSAGE = 300
NUMBER = re.compile(r"[-+]?(?:\d*\.\d+|\d+\.?)(?:e[-+]?\d+)?", re.IGNORECASE)
DECIMAL = re.compile(
    r"[-+]?(?:\d*\.\d+|\d+\.(?=\s*[\])},])|\d+(?=e[-+]?\d))(?:e[-+]?\d+)?", re.IGNORECASE
)
QUOTED = re.compile(r"'(?!\[)[^']*'|\"[^\"]*\"")
RAISING = re.compile(r"\b(?:raise|assert)\b")


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
    """Take out of an error's words the numbers that may be a hidden check's inputs.

    Words that the student's code chose lose all numbers but those in the code itself; a
    library's words keep whole numbers, which are shapes and positions.

    Args:
        words: what the error says.
        type_name: its class.
        line: the student's line that it came from, or the empty string.
    """
    known = set(NUMBER.findall(line))

    def hide(found: re.Match[str]) -> str:
        return found[0] if found[0] in known else "…"

    if RAISING.search(line) or type_name == "KeyError":
        return NUMBER.sub(hide, words)
    # Libraries quote a value that they were given; a shape in quotes begins with a bracket.
    return DECIMAL.sub(hide, QUOTED.sub(lambda quoted: NUMBER.sub(hide, quoted[0]), words))
