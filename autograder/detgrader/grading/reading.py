"""Reading a submission's cells, not running them: do they parse, and what do they use?

Parsing hostile text can exhaust a process, so a worker does it, in which nothing of a student's
has run.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

from detgrader.course import TripwireSettings
from detgrader.grading.messages import syntax_message
from detgrader.grading.tripwire import Find, find, words
from detgrader.sandbox.client import WorkerClient
from detgrader.sandbox.dispatcher import DispatcherClient
from detgrader.sandbox.limits import Crashed, LimitReached, Limits, Violation
from detlab.checking.notebook import CodeCell
from detlab.checking.workbench import StudentError

# What a constant, a cell's and all cells' constants may weigh, in bytes. Data, such as a network's
# weights, cannot be handed in with an answer. Of all references, mutants and variants here the
# richest has 460 in a cell and 1,170 in all, and 6,100 in docstrings.
MAX_LITERAL, MAX_LITERALS, MAX_ALL_LITERALS = 2_000, 4_000, 8_000
MAX_DOCSTRINGS = 24_000
READING = Limits(cpu_s=4, memory_mb=1024, wall_s=30)
MAX_UNREADABLE = 3
ENDS = (StudentError, LimitReached, Violation, Crashed)


@dataclass
class Reading:
    """What is known of cells before they run.

    Attributes:
        names: by cell, the identifiers that it mentions.
        binds: by cell, the identifiers that it gives a meaning to.
        problems: by cell, why it cannot run.
        tripped: by cell, what in it is made for tricks; these have problems, too.
        left_out: by cell that the student added, what it sets without effect, with the lines.
    """

    names: dict[str, set[str]] = field(default_factory=dict)
    binds: dict[str, set[str]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    tripped: dict[str, Find] = field(default_factory=dict)
    left_out: dict[str, dict[str, int]] = field(default_factory=dict)

    def names_in(self, *cells: Iterable[str]) -> frozenset[str]:
        """Return the names that some cells mention, and other cells whose names these use."""
        waiting, seen = list(itertools.chain(*cells)), set[str]()
        found: set[str] = set()
        while waiting:
            cell = waiting.pop()
            if cell not in seen:
                seen.add(cell)
                used = self.names.get(cell, set())
                found |= used
                waiting += [other for other, binds in self.binds.items() if binds & used]
        return frozenset(found)

    def trick_in(self, cells: Iterable[str]) -> str:
        """Return the name of a cell made for tricks: one of these, or one that these use."""
        own = [cell for cell in cells if cell in self.names]
        used = {name for cell in own for name in self.names[cell]}
        found = [cell for cell in self.tripped if cell in own or self.binds[cell] & used]
        return found[0] if found else ""


def too_heavy(data: dict[str, dict[str, int]]) -> dict[str, str]:
    """Say of which cells the constants weigh too much, by name.

    Args:
        data: by cell, see `Uses` in `detgrader.sandbox.inside.uses`.
    """
    found = {}
    for cell, weights in data.items():
        where = f"{cell}, line {weights['line']}"
        if weights["largest"] > MAX_LITERAL:
            found[cell] = (
                f"{where}: a constant of {weights['largest']} bytes; {MAX_LITERAL} is most."
            )
        elif weights["literals"] > MAX_LITERALS:
            found[cell] = (
                f"{cell}: numbers and texts of {weights['literals']} bytes; {MAX_LITERALS} is most."
            )
    for kind, most in (("literals", MAX_ALL_LITERALS), ("docstrings", MAX_DOCSTRINGS)):
        left = {cell: weights[kind] for cell, weights in data.items() if cell not in found}
        while sum(left.values()) > most:
            cell = max(left, key=left.__getitem__)
            words = "numbers and texts" if kind == "literals" else "docstrings"
            found[cell] = f"{cell}: all cells' {words} weigh more than {most} bytes."
            del left[cell]
    advice = "Data cannot be handed in with an answer: compute it, or write less."
    return {cell: f"{text} {advice}" for cell, text in found.items()}


class Reader:
    """Has a submission's cells read: from now on, while nobody waits for it.

    Args:
        setup: the released setup cell, whose imports the others use.
        tripwire: what no cell may hold, if anything.
    """

    def __init__(
        self,
        dispatcher: DispatcherClient,
        setup: CodeCell,
        cells: list[CodeCell],
        tripwire: TripwireSettings | None,
    ):
        self.dispatcher = dispatcher
        self.setup = setup
        self.cells = cells
        self.tripwire = tripwire
        self.reading = Reading()
        self.data: dict[str, dict[str, int]] = {}
        self.asked = self.ask(cells)

    def finish(self) -> Reading:
        """Wait for what there is to know of the cells.

        Should they end the worker, each is read by itself, to find out which one it was.
        """
        problems = self.reading.problems
        if not self.take(self.asked, self.cells):
            unreadable = 0
            for cell in self.cells:
                reason = "was not read, since other cells could not be"
                if unreadable < MAX_UNREADABLE:
                    if self.take(self.ask([cell]), [cell]):
                        continue
                    unreadable += 1
                    reason = "is too deep or too large for Python to read"
                problems[cell.name] = f"The cell {cell.name} {reason}."
        problems |= too_heavy(self.data)
        return self.reading

    def is_done(self) -> bool:
        """Say whether all cells were read by now.

        Raises:
            LimitReached, Violation, Crashed: the worker is gone.
        """
        worker, nonce = self.asked
        return nonce is not None and worker.has_answered()

    def ask(self, cells: list[CodeCell]) -> tuple[WorkerClient, str | None]:
        """Post some cells to a worker of their own; return it, and the nonce if it lives."""
        worker = WorkerClient(self.dispatcher, READING)
        given = [{"cell": cell.name, "source": cell.source} for cell in (self.setup, *cells)]
        try:
            return worker, worker.post_inspect(given)
        except ENDS:
            return worker, None

    def take(self, asked: tuple[WorkerClient, str | None], cells: list[CodeCell]) -> bool:
        """Take in what a worker found in some cells; say whether it lived."""
        worker, nonce = asked
        try:
            if nonce is None:
                return False
            worker.begin()
            _, *reports = worker.result_of(nonce)
        except ENDS:
            return False
        finally:
            worker.close()
        for cell, report in zip(cells, reports, strict=True):
            if report["error"] is not None:
                error = worker.student_error(report["error"])
                self.reading.problems[cell.name] = syntax_message(cell, error)
            else:
                self.keep(cell.name, report["uses"])
                if cell.definitions_only:
                    self.reading.left_out[cell.name] = report["uses"]["left_out"]
        return True

    def close(self) -> None:
        """Leave the cells unread."""
        self.asked[0].close()

    def keep(self, cell: str, uses: dict[str, dict[str, int]]) -> None:
        """Keep what a cell uses, and whether that is made for tricks."""
        self.reading.names[cell] = set(uses["names"])
        self.reading.binds[cell] = set(uses["binds"])
        self.data[cell] = uses["data"]
        found = find(uses, self.tripwire) if self.tripwire else None
        if found:
            self.reading.tripped[cell] = found
            self.reading.problems[cell] = words(cell, found)
