"""How a training goes, while it does: a bar, the loss so far and figures, in place.

In a notebook it is a small drawing that is updated every second, made of text, so that it costs a
thousandth of the time; elsewhere it is a line now and then.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Protocol
from uuid import uuid4

from detlab.checking.shown import kernel_shell
from detlab.plotting import COLOURS, LINE

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 640, 220, 52, 14, 26  # of the drawing, pixels
POINTS = 160  # of a curve: each the median of as many steps as fall to it
EVERY_S = 1.0  # between two updates in a notebook
LINES = 10  # printed lines of a training, elsewhere
BUSY_S = 30.0  # and at least one in so many seconds


class Underway(Protocol):
    """What is shown of a training: see `detlab.training.Training`."""

    steps: int
    total: int
    losses: list[float]
    figures: dict[int, Mapping[str, float]]


class LiveCurve:
    """Shows a training where the cell's output is.

    Args:
        training: is looked at whenever it is updated.
        quiet: show nothing at all.
    """

    def __init__(self, training: Underway, quiet: bool = False):
        self.training, self.quiet = training, quiet
        self.begun, self.first = time.monotonic(), training.steps
        self.shell, self.display = kernel_shell(), ""
        self.shown_at, self.shown_steps = -math.inf, training.steps

    def update(self, bar: str = "", at_last: bool = False) -> None:
        """Show how far it is, if it is time.

        Args:
            bar: a line of the training's own.
            at_last: it has ended, or waits: show it in any case.
        """
        now = time.monotonic()
        if self.quiet or not (at_last or self._is_time(now)) or not self.training.steps:
            return
        self.shown_at, self.shown_steps = now, self.training.steps
        words = self.words(now, at_last)
        if self.shell is None:
            # Past the stream that takes what the training itself writes.
            if not at_last:
                write_line(words)
            return
        data = {"text/html": drawing(self.training, words, bar), "text/plain": words}
        update = bool(self.display)
        self.display = self.display or uuid4().hex
        self.shell.display_pub.publish(data, transient={"display_id": self.display}, update=update)

    def _is_time(self, now: float) -> bool:
        if self.shell is not None:
            return now - self.shown_at >= EVERY_S
        made = self.training.steps - self.shown_steps
        since = now - max(self.shown_at, self.begun)
        return made > 0 and (made >= self.training.total / LINES or since >= BUSY_S)

    def words(self, now: float, at_last: bool = False) -> str:
        """Return how far it is, in a line."""
        steps, total = self.training.steps, self.training.total
        parts = [f"step {steps:,} of {total:,}"]
        window = max(1, min(20, total // 20))
        recent = [loss for loss in self.training.losses[-window:] if math.isfinite(loss)]
        if recent:
            parts.append(f"loss {sorted(recent)[len(recent) // 2]:.3g}")
        made = steps - self.first
        if made > 0 and not at_last and steps < total:
            left = (now - self.begun) / made * (total - steps)
            parts.append(f"about {duration(left)} to go")
        if self.training.figures:
            at, figures = list(self.training.figures.items())[-1]
            named = ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
            parts.append(f"{named} (after {at:,})")
        return " · ".join(parts)


def write_line(words: str) -> None:
    """Print a line where a program's output goes."""
    import sys

    out: Any = sys.stdout
    print(words, file=getattr(out, "out", out), flush=True)


def duration(seconds: float) -> str:
    """Say how long something takes, no more exactly than anybody can know."""
    if seconds < 9.5:
        return f"{max(round(seconds), 1)} s"
    if seconds < 100:
        return f"{5 * round(seconds / 5)} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min"


def drawing(training: Underway, words: str, bar: str = "") -> str:
    """Draw how a training goes, as HTML; `words` are its alternative text."""
    share = min(training.steps / max(training.total, 1), 1.0)
    right = WIDTH - LEFT
    parts = [
        f'<rect x="{LEFT}" y="0" width="{right}" height="6" rx="3" fill="{LINE}" opacity=".4"/>',
        f'<rect x="{LEFT}" y="0" width="{right * share:.1f}" height="6" rx="3" '
        f'fill="{COLOURS[0]}"/>',
        *_curve(training.losses, max(training.total, training.steps, 2)),
    ]
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    style = "max-width:100%;font:11px sans-serif"
    below = f'<pre style="margin:0;overflow:hidden">{escape(bar)}</pre>' if bar else ""
    return (
        f'<div><div style="margin-bottom:4px">{escape(words)}</div>'
        f'<svg role="img" aria-label="{escape(words)}" {size} style="{style}">{"".join(parts)}'
        f"</svg>{below}</div>"
    )


def _curve(losses: Sequence[float], total: int) -> list[str]:
    """Draw losses on a logarithmic axis, with ticks; nothing before there are two."""
    points = medians(losses)
    values = [value for _, value in points]
    if len(points) < 2:
        return []
    low, high = math.log10(min(values)), math.log10(max(values))
    low, high = low - 0.05, max(high + 0.05, low + 0.3)
    floor = HEIGHT - BOTTOM

    def y(value: float) -> float:
        return floor - (math.log10(value) - low) / (high - low) * (floor - TOP)

    def x(step: float) -> float:
        return LEFT + step / total * (WIDTH - LEFT - 4)

    line = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in points)
    drawn = [
        f'<polyline points="{line}" fill="none" stroke="{COLOURS[1]}" stroke-width="1.6"/>',
        f'<line x1="{LEFT}" x2="{WIDTH}" y1="{floor}" y2="{floor}" stroke="{LINE}"/>',
        f'<text x="{WIDTH}" y="{HEIGHT - 12}" text-anchor="end" fill="currentColor">step</text>',
        f'<text x="2" y="{TOP + 8}" fill="currentColor">loss</text>',
    ]
    for value in ticks(low, high):
        drawn.append(
            f'<line x1="{LEFT}" x2="{WIDTH}" y1="{y(value):.1f}" y2="{y(value):.1f}" '
            f'stroke="{LINE}" stroke-width=".4"/><text x="{LEFT - 5}" y="{y(value) + 4:.1f}" '
            f'text-anchor="end" fill="currentColor">{value:g}</text>'
        )
    for step in sorted({total * k // 4 for k in range(4)}):
        drawn.append(
            f'<text x="{x(step):.1f}" y="{HEIGHT - 12}" text-anchor="middle" '
            f'fill="currentColor">{step:,}</text>'
        )
    return drawn


def medians(losses: Sequence[float]) -> list[tuple[float, float]]:
    """Return (step, loss) of so many stretches of a training that they can be drawn.

    Values that a logarithmic axis cannot show are left out.
    """
    length = max(math.ceil(len(losses) / POINTS), 1)
    points = []
    for start in range(0, len(losses), length):
        part = sorted(x for x in losses[start : start + length] if 0 < x < math.inf)
        if part:
            points.append((start + (length + 1) / 2, part[len(part) // 2]))
    return points


def ticks(low: float, high: float) -> list[float]:
    """Return round values between two powers of ten: at most about five."""
    decades = range(math.floor(low), math.ceil(high) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        found = [s * 10.0**d for d in decades for s in steps if low <= math.log10(s) + d <= high]
        if len(found) <= 6:
            return [float(f"{value:.3g}") for value in found]
    return [float(f"{value:.3g}") for value in found[:: math.ceil(len(found) / 6)]]
