"""Which known mistake a wrong answer most likely is.

A mistake is told if it explains a failed check in full, contradicts none that passed, and explains
more than it contradicts of those that failed: there it fails too, but otherwise.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

Mistake = TypeVar("Mistake")


def likeliest(
    mistakes: Sequence[Mistake],
    failed: Mapping[str, float],
    passed: Collection[str],
    explains: Callable[[Mistake, str], bool],
    fails: Callable[[Mistake, str], bool],
) -> Mistake | None:
    """Return the mistake that explains most of the failed checks and fits the rest, if one does.

    Args:
        mistakes: of equally good ones the first is returned.
        failed: how much each failed check weighs.
        passed: checks that passed.
        explains: says whether a mistake fails a check as the answer did.
        fails: says whether a mistake fails a check at all.
    """
    if not failed:
        return None
    for mistake in mistakes:  # one that explains all is soon found: most differ in the first check
        if all(explains(mistake, check) for check in failed) and fits(mistake, passed, fails):
            return mistake
    explained = [{check for check in failed if explains(one, check)} for one in mistakes]
    weights = [sum(failed[check] for check in checks) for checks in explained]
    for n in sorted(range(len(mistakes)), key=lambda n: -weights[n]):
        rest = failed.keys() - explained[n]
        if explained[n] and fits(mistakes[n], passed, fails):
            otherwise = sum(failed[check] for check in rest if fails(mistakes[n], check))
            if weights[n] > otherwise:
                return mistakes[n]
    return None


def fits(mistake: Mistake, passed: Collection[str], fails: Callable[[Mistake, str], bool]) -> bool:
    """Say whether a mistake passes all that was passed."""
    return not any(fails(mistake, check) for check in passed)
