"""Results that are kept from one audit to the next, in a file beside the course's outputs."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from detgrader.files import write_text
from detgrader.grading.results import CheckResult, Status, TaskResult

SCHEMA = 3
# The file is written while results arrive: not more often than this, so that it costs nothing.
EVERY_S = 2.0


@dataclass(frozen=True)
class Record:
    """One submission's result in one task.

    Attributes:
        inputs: hash of what it depends on, but for the checks and what hints come from.
        mistakes: hash of what hints come from, or the empty string if none were looked for.
        digests: of each check, by key.
        result: as students would get it.
        checks: how each check went.
        detail: for staff, where no check has more to say.
    """

    inputs: str
    mistakes: str
    digests: dict[str, str]
    result: TaskResult
    checks: list[CheckResult]
    detail: str = ""

    @property
    def ended(self) -> bool:
        """Whether the task's cells ended their worker."""
        return any(check.ended for check in self.checks)

    @property
    def failures(self) -> list[CheckResult]:
        """The checks that did not pass."""
        return [check for check in self.checks if not check.passed]

    def passed_before(self, inputs: str, digests: dict[str, str]) -> frozenset[str]:
        """Return the checks that were run and passed, and of which nothing has changed."""
        if self.inputs != inputs:
            return frozenset()
        return frozenset(
            check.key
            for check in self.checks
            if check.passed and check.asked and not check.again
            if digests.get(check.key) == self.digests.get(check.key)
        )

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Record:
        """Read it from plain data."""
        result = TaskResult(**data["result"])
        result.status = Status(result.status)
        checks = [CheckResult(**one | {"status": Status(one["status"])}) for one in data["checks"]]
        return cls(**data | {"result": result, "checks": checks})


class Store:
    """The file of records, by secret, name of a submission and label of a task.

    Args:
        path: of the file; one that is missing or cannot be read is an empty one.

    Attributes:
        sound: by secret, digests of checks, with all that they depend on, that stood junk in every
            answer.
    """

    def __init__(self, path: Path):
        self.path = path
        self.records: dict[str, dict[str, dict[str, Record]]] = {}
        self.sound: dict[str, set[str]] = {}
        self.written = time.monotonic()
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            data = json.loads(path.read_text("utf-8"))
            if data["schema"] == SCHEMA:
                self.sound = {secret: set(digests) for secret, digests in data["sound"].items()}
                self.records = {
                    secret: {
                        name: {label: Record.from_json(one) for label, one in tasks.items()}
                        for name, tasks in names.items()
                    }
                    for secret, names in data["records"].items()
                }

    def get(self, secret: str, name: str, label: str) -> Record | None:
        """Return a record, whatever it depends on."""
        return self.records.get(hash_of(secret), {}).get(name, {}).get(label)

    def keep(self, secret: str, name: str, label: str, record: Record) -> None:
        """Keep a record in the place of what was there."""
        names = self.records.setdefault(hash_of(secret), {})
        names.setdefault(name, {})[label] = record
        self.write_now_and_then()

    def is_sound(self, secret: str, digest: str) -> bool:
        """Say whether a check was seen to stand junk."""
        return digest in self.sound.get(hash_of(secret), ())

    def keep_sound(self, secret: str, digest: str, sound: bool) -> None:
        """Keep whether a check stands junk."""
        digests = self.sound.setdefault(hash_of(secret), set())
        (digests.add if sound else digests.discard)(digest)
        self.write_now_and_then()

    def forget_sound(self, secret: str, digests: Iterable[str]) -> None:
        """Drop checks that are no more, or no longer the same."""
        self.sound[hash_of(secret)] = self.sound.get(hash_of(secret), set()) & set(digests)

    def write_now_and_then(self) -> None:
        """Write the file, if that was some time ago."""
        if time.monotonic() - self.written > EVERY_S:
            self.write()

    def forget_all_but(self, names: Iterable[str]) -> None:
        """Drop the records of submissions that are no more."""
        kept = set(names)
        self.records = {
            secret: {name: tasks for name, tasks in known.items() if name in kept}
            for secret, known in self.records.items()
        }

    def write(self) -> None:
        """Write the file, whole or not at all; it holds what students must not see."""
        records = {
            secret: {
                name: {label: asdict(record) for label, record in tasks.items()}
                for name, tasks in names.items()
            }
            for secret, names in self.records.items()
        }
        sound = {secret: sorted(digests) for secret, digests in self.sound.items()}
        data = {"schema": SCHEMA, "sound": sound, "records": records}
        text = json.dumps(data, ensure_ascii=False)
        write_text(self.path, text + "\n", mode=0o600)
        self.written = time.monotonic()


def hash_of(secret: str) -> str:
    """Return a name for a secret that does not tell it."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


def keys_of(checks: Iterable[CheckResult]) -> frozenset[str]:
    """Return the keys of checks."""
    return frozenset(check.key for check in checks)
