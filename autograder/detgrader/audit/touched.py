"""What an overlay can touch: the names whose meaning it changes, in its own cell and after it.

A cell is compared with the reference's statement by statement. A name is touched when its
definition changed, or mentions one that is touched. What runs at once and is not the reference's,
a call or an assignment to something else's attribute, may touch anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from detgrader.audit.statements import Statement, statements_of
from detlab.checking.notebook import CodeCell


@dataclass(frozen=True)
class Touched:
    """What is not the reference's any more.

    Attributes:
        names: those that mean something else.
        anything: whether something ran that may have changed whatever else there is.
    """

    names: frozenset[str]
    anything: bool = False

    def reaches(self, mentioned: Iterable[str]) -> bool:
        """Say whether code that mentions these names may find another world than before."""
        return self.anything or not self.names.isdisjoint(mentioned)


def touched_by(reference: Sequence[CodeCell], overlaid: Sequence[CodeCell]) -> Touched:
    """Compare cells with the reference's, which have the same names in the same order."""
    before = {cell.name: statements_of(cell.source) for cell in reference}
    after = {cell.name: statements_of(cell.source) for cell in overlaid}
    names: set[str] = set()
    for name, statements in after.items():
        changed = names_changed(before[name], statements)
        if acts_anew(before[name], statements):
            return Touched(frozenset(changed), anything=True)
        names |= changed
    return spread(names, [one for statements in after.values() for one in statements])


def spread(names: Iterable[str], statements: Sequence[Statement]) -> Touched:
    """Add the names that touched ones lead to.

    Args:
        names: that are touched.
        statements: of all cells.
    """
    touched, waiting = set(names), True
    while waiting:
        reached = [one for one in statements if not touched.isdisjoint(one.names)]
        if any(not touched.isdisjoint(one.acts_on) for one in reached):
            return Touched(frozenset(touched), anything=True)
        more = {name for one in reached for name in one.binds} - touched
        touched |= more
        waiting = bool(more)
    return Touched(frozenset(touched))


def names_changed(before: Sequence[Statement], after: Sequence[Statement]) -> set[str]:
    """Return the names that are defined otherwise, or no longer, or now for the first time."""
    old, new = definitions(before), definitions(after)
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def definitions(statements: Iterable[Statement]) -> Mapping[str, list[str]]:
    """Return what defines each name, in order."""
    found: dict[str, list[str]] = defaultdict(list)
    for statement in statements:
        for name in statement.binds:
            found[name].append(statement.text)
    return found


def acts_anew(before: Sequence[Statement], after: Sequence[Statement]) -> bool:
    """Say whether something runs at once that does not in the reference.

    What the reference runs for a name may be there twice: a whole function is often laid over the
    right one, with its decorators and defaults.
    """
    known = {act for statement in before for act in statement.acts}
    acting = [one.text for one in before if one.acts and not one.binds]
    still = [one.text for one in after if one.acts and not one.binds]
    return acting != still or any(act not in known for one in after for act in one.acts)
