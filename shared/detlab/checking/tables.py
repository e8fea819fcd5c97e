"""Numbers and calls of a failing case, as HTML: expected and got side by side.

A wrong number has a cross, a wrong row says so in words; colour only underlines it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from torch import Tensor

from detlab.checking.case import Call, Case
from detlab.checking.values import HandleRef
from detlab.checking.wording import apart, number

ROWS = 8  # of a table: more are counted, not shown
SHORT = 6  # numbers that stand in a row of a table
ITEMS = 8  # of a list in a call
NUMBERS = 32  # of a tensor in a call
TEXT = 80  # characters of a text in a call
# About 4:1 on white and on the near-black of a dark notebook, and never red.
AMBER = "#b36b00"
CELL = (
    "text-align:left;vertical-align:top;padding:.15em .9em .15em 0;background:none;max-width:none;"
    "overflow-wrap:normal"
)
HIDDEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"


def of_case(case: Case) -> str:
    """Set expected and got side by side: row by row if rows are short, else number by number.

    Of more than a few only those that differ are shown.
    """
    shape = case.expected.shape
    by_row = 1 < shape[-1] <= SHORT
    right, came, wrong = (
        one.reshape(-1, shape[-1] if by_row else 1) for one in (case.expected, case.got, case.wrong)
    )
    differ = [int(row) for row in wrong.any(1).nonzero().flatten()]
    chosen = list(range(len(right))) if len(right) <= ROWS else differ[:ROWS]
    lines = []
    for row in chosen:
        pairs = zip(right[row].tolist(), came[row].tolist(), wrong[row].tolist(), strict=True)
        expected, got = zip(*(side_by_side(*pair) for pair in pairs), strict=True)
        verdict = "✗ differs" if row in differ else "✓ right"
        place = place_of(row, shape[:-1] if by_row else shape)
        lines.append([place or "its numbers", ", ".join(expected), ", ".join(got), verdict])
    what = "rows" if by_row else "numbers"
    more = len(differ) - len(set(differ) & set(chosen))
    note = f"<div>… and {more} more {what} that differ, of {len(right)}.</div>" if more else ""
    hidden = f'<span style="{HIDDEN}">verdict</span>'
    return (
        table(f"{case.what}: expected and got", ("place", "expected", "got", hidden), lines) + note
    )


def table(label: str, heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table, the first cell of each line being its head; one that is too wide scrolls.

    Args:
        label: plain text, for screen readers.
        heads, lines: HTML.
    """
    head = "".join(f'<th scope="col" style="{CELL};font-weight:600">{one}</th>' for one in heads)
    body = ""
    for first, *others in lines:
        cells = "".join(f'<td style="{CELL};white-space:nowrap">{one}</td>' for one in others)
        body += f'<tr><th scope="row" style="{CELL};font-weight:400">{first}</th>{cells}</tr>'
    return (
        f'<div role="group" tabindex="0" aria-label="{escape(label)}" '
        'style="overflow-x:auto;position:relative">'
        '<table style="border-collapse:collapse;margin:.3em 0;table-layout:auto;width:auto;'
        'font-size:inherit;font-variant-numeric:tabular-nums">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def side_by_side(expected: float, got: float, is_wrong: bool) -> tuple[str, str]:
    """Return two numbers as a table shows them, the second with a cross if it is wrong."""
    texts = [number(float(one)) for one in (expected, got)]
    if not is_wrong:
        return texts[0], texts[1]
    right, came = texts if texts[0] != texts[1] else apart(float(expected), float(got))
    return right, f'<strong style="border-bottom:2px solid {AMBER}">✗&nbsp;{came}</strong>'


def place_of(row: int, shape: Sequence[int]) -> str:
    """Return where a row of a flattened tensor stands, "[0, 2]"; "" where there is only one."""
    if math.prod(shape) == 1:
        return ""
    places = []
    for length in reversed(shape):
        places.append(row % length)
        row //= length
    return str(places[::-1])


def of_call(call: Call) -> str:
    """Return a call as it would be written, its large arguments by their shapes; plain text."""
    parts = [f"{name}={shown(value)}" if name else shown(value) for name, value in call.arguments]
    return f"{call.name}({', '.join(parts)})"


def shown(value: Any) -> str:
    """Return an argument as it would be written, or what it is where that is long."""
    if isinstance(value, Tensor):
        if value.numel() <= NUMBERS and not value.is_complex():
            return f"tensor({shown(value.tolist())})"
        return f"<{str(value.dtype).removeprefix('torch.')} of shape {tuple(value.shape)}>"
    if isinstance(value, HandleRef):
        return f"<{value.type_name}>"
    if type(value) is float:
        return number(value)
    if type(value) in (list, tuple):
        parts = [shown(one) for one in value[:ITEMS]] + ["…"] * (len(value) > ITEMS)
        inside = ", ".join(parts)
        return f"[{inside}]" if type(value) is list else f"({inside}{',' * (len(value) == 1)})"
    if type(value) is dict:
        return f"{{{', '.join(f'{key!r}: {shown(one)}' for key, one in value.items())}}}"
    text = repr(value)
    return text if len(text) <= TEXT else f"{text[: TEXT - 1]}…"


def marked_up(text: str) -> str:
    """Return a text as HTML: what stands between backquotes is code."""
    parts = escape(text).split("`")
    if len(parts) % 2 == 0:  # one of them has no partner
        return escape(text)
    return "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))
