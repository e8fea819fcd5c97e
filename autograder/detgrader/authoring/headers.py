"""The header of a cell, `# %% [markdown] nbgrader={…}`, as an author writes it.

jupytext is lenient: it reads Python's `True` for JSON's `true`, takes a misspelt `[mardown]` for
a title, and drops the first of two equal keys. Others who read a source would stumble there, or
read something else; so a header keeps to one plain form.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from math import inf
from typing import Any

_AUTHOR_KEYS = {"grade_id", "points", "solution", "manual"}
# Notes that jupytext leaves in a cell it has read; a title is the author's own bookmark.
_JUPYTEXT_KEYS = {"cell_depth", "cell_marker", "lines_to_next_cell", "title"}

_PLAIN = re.compile(r"# %%( [^\[\]{}=]+)?( \[markdown\])?( nbgrader=(?P<keys>.+))?\s*")
_GRADE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # also the alphabet and length of a cell id


def faults(header: str, metadata: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a header.

    Args:
        header: the line.
        metadata: what jupytext made of it.
    """
    yield from _form_faults(header, metadata)
    keys = metadata.get("nbgrader", {})
    if not isinstance(keys, dict):
        yield "nbgrader= needs braces: write {…}"
        return
    for key in sorted(set(keys) - set(sound(keys))):
        yield (
            f"{key} = {keys[key]!r} is not understood; the keys are grade_id (letters, numbers, _ "
            "and -, at most 64), points (above 0), and solution and manual (true)"
        )
    if keys and "grade_id" not in keys:
        yield "no grade_id: give the cell one"


def sound(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys that an author may write, with values that they may have."""
    return {key: value for key, value in keys.items() if _is_sound(key, value)}


def _form_faults(header: str, metadata: Mapping[str, Any]) -> Iterator[str]:
    """Yield where a header leaves the plain form."""
    plain = _PLAIN.fullmatch(header)
    unknown = set(metadata) - _JUPYTEXT_KEYS - {"nbgrader", "incorrectly_encoded_metadata"}
    if broken := metadata.get("incorrectly_encoded_metadata"):
        yield f"the header is not valid JSON: {broken}; mend quotes, commas and brackets"
    elif unknown:
        for key in sorted(unknown):
            yield f"unknown metadata {key!r}: a cell header carries nbgrader keys only; remove it"
    elif plain is None:
        yield f"{header!r} is no header; write `# %%`, `# %% [markdown]` or `# %% nbgrader={{…}}`"
    elif plain["keys"]:
        try:
            json.loads(plain["keys"], object_pairs_hook=_unique)
        except ValueError as fault:
            advice = "mend quotes, commas and brackets, and write true in small letters"
            yield f"the header is not valid JSON: {plain['keys']} ({fault}); {advice}"


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Build a JSON object whose keys stand once each."""
    if twice := [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]:
        raise ValueError(f"{twice[0]} stands twice")
    return dict(pairs)


def _is_sound(key: str, value: object) -> bool:
    if key == "grade_id":
        return isinstance(value, str) and bool(_GRADE_ID.fullmatch(value))
    if key == "points":
        return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < inf
    return key in _AUTHOR_KEYS and value is True
