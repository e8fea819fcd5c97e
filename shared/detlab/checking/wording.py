"""How messages put numbers, places and names: one place for all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable

NUMBER = re.compile(r"[-+]?(?:\d*\.\d+|\d+\.?)(?:e[-+]?\d+)?", re.IGNORECASE)
# Behind one of these words, or a comma, a name is only described more closely.
CLOSER = re.compile(r",| (?:of|in|on|at|by|for|from|after|before|with|to|where|when|that)\b")


def number(value: float, figures: int = 4) -> str:
    """Return a number as people read it: four figures that count, and no more than it has.

    Args:
        value: a number, or an int of any length.
        figures: that count.
    """
    if isinstance(value, int) and abs(value) < 10**15:
        return str(value)
    try:
        return f"{value + 0.0:.{figures}g}"
    except OverflowError:
        return "a number of hundreds of places"


def without_numbers(text: str) -> str:
    """Return a text less its numbers, which roundings and other inputs change."""
    return NUMBER.sub("#", text)


def apart(*values: float) -> list[str]:
    """Return numbers with as many figures as it takes to tell them apart, six at least."""
    for figures in (6, 9, 12, 17):
        texts = [number(value, figures) for value in values]
        if len(set(texts)) == len(texts):
            break
    return texts


def listed(items: Iterable[object]) -> str:
    """Return items in words: "1, 2 and 5"."""
    *first, last = map(str, items)
    return f"{', '.join(first)} and {last}" if first else last


def is_or_are(what: str) -> str:
    """Return the verb that goes with a name: "The labels" are, "`read`'s result" is."""
    return "are" if is_plural(what) else "is"


def is_plural(what: str) -> bool:
    """Say whether a name is that of several things."""
    words = CLOSER.split(what.rpartition(": ")[2])[0].split()
    head = words[-1] if words else ""
    return head.endswith("s") and not head.endswith(("ss", "'s", "is", "us"))
