"""Known mistakes, as students' package holds them: how each fails the visible checks of its task.

They are answers and words, no code. A wrong answer that fails as a known mistake does is told its
hint at once.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from detlab.checking.fingerprint import fingerprint, same_answer
from detlab.checking.likeliest import likeliest
from detlab.checking.outline import KNOWN
from detlab.checking.wording import without_numbers
from detlab.checking.workbench import StudentError

LAST = 6  # answers of a check that are kept: the last ones, up to the one that failed
FIGURES = 6  # of each number, more than it takes to tell answers apart
LONG = 1000  # words and numbers: what holds more, such as 30 axes, is described once more


@dataclass(frozen=True)
class Failure:
    """How a check failed.

    Attributes:
        told: what it said, less the numbers; the empty string where an error of the answer's ended
            it, whose words are among the answers.
        asked: how many answers it got.
        answers: fingerprints of the last ones.
    """

    told: str
    asked: int
    answers: Sequence[Any]

    def is_like(self, other: Failure) -> bool:
        """Say whether two answers failed alike."""
        same = (self.told, self.asked) == (other.told, other.asked)
        return same and same_answer(list(self.answers), list(other.answers))


def failure_of(transcript: Sequence[Any], error: Exception) -> Failure:
    """Describe how a check failed.

    Args:
        transcript: all answers that it got (see `Student`).
        error: that ended it.
    """
    told = "" if isinstance(error, StudentError) else without_numbers(str(error))
    answers = [rounded(shortened(fingerprint(answer))) for answer in transcript[-LAST:]]
    return Failure(told, len(transcript), answers)


def shortened(value: Any) -> Any:
    """Describe a long fingerprint by its numbers, as if they were a tensor, and a hash of the rest.

    That of a figure with 30 images would take 25,000 characters, more than all others of a task.
    """
    parts = list(parts_of(value))
    if len(parts) <= LONG:
        return value
    numbers = [part for part in parts if type(part) in (int, float)]
    # Where a number stands counts among the words.
    words = ["#" if type(part) in (int, float) else repr(part) for part in parts]
    digest = hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]
    return ["long", digest, fingerprint(torch.tensor(numbers, dtype=torch.float64))]


def parts_of(value: Any) -> Iterator[Any]:
    """Yield the words and numbers of a fingerprint in order, and where each list begins."""
    if not isinstance(value, list):
        yield value
        return
    yield "["
    for item in value:
        yield from parts_of(item)


def rounded(value: Any) -> Any:
    """Round the numbers of a fingerprint."""
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.{FIGURES}g}") if type(value) is float else value


@dataclass(frozen=True)
class KnownMistake:
    """A mistake, as a student's answer can be compared with it.

    Attributes:
        hint: what one should read who makes it.
        failures: how it fails, by the name of the check; it passes the others.
    """

    hint: str
    failures: Mapping[str, Failure] = field(default_factory=dict)


def hint_for(
    mistakes: Sequence[KnownMistake], failed: Mapping[str, Failure], passed: Iterable[str]
) -> str:
    """Return the hint of the mistake that an answer most likely has, or the empty string.

    Args:
        failed: how each check failed that did, by its name.
        passed: names of the others.
    """
    best = likeliest(
        mistakes,
        dict.fromkeys(failed, 1.0),
        list(passed),
        lambda mistake, check: (
            check in mistake.failures and mistake.failures[check].is_like(failed[check])
        ),
        lambda mistake, check: check in mistake.failures,
    )
    return best.hint if best else ""


def write_known(basis: str, mistakes: Mapping[str, Sequence[KnownMistake]]) -> str:
    """Write known mistakes down as JSON, one to a line.

    Args:
        basis: hash of what they were made from.
        mistakes: by task label.
    """
    tasks = [
        f"  {json.dumps(label)}: [\n"
        + ",\n".join(f"   {json.dumps(asdict(one), ensure_ascii=False)}" for one in some)
        + "\n  ]"
        for label, some in mistakes.items()
    ]
    return f'{{\n "basis": {json.dumps(basis)},\n "tasks": {{\n' + ",\n".join(tasks) + "\n }\n}\n"


def read_known(text: str) -> dict[str, list[KnownMistake]]:
    """Read what `write_known` wrote; by task label."""
    return {
        label: [
            KnownMistake(
                one["hint"], {name: Failure(**how) for name, how in one["failures"].items()}
            )
            for one in some
        ]
        for label, some in json.loads(text)["tasks"].items()
    }


@functools.cache
def known_mistakes(package: str, week: int) -> dict[str, list[KnownMistake]]:
    """Return the known mistakes of a week by task label; none where none were written down.

    Args:
        package: name of the course's package of weeks.
    """
    spec = importlib.util.find_spec(f"{package}.week{week}")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    path = Path(folders[0]) / KNOWN if folders else None
    return read_known(path.read_text("utf-8")) if path and path.is_file() else {}
