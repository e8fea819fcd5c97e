"""Weights that lie beside a notebook: read once, when its grading begins."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from detgrader.files import Missing, Unreadable, read_handed_in, too_large


@dataclass(frozen=True)
class HandedIn:
    """A file as it was when grading began; what becomes of it later changes nothing.

    Attributes:
        path: where it lay.
        data: its bytes.
        problem: why it could not be read, if it could not.
    """

    path: Path
    data: bytes = field(default=b"", repr=False)
    problem: Unreadable | None = None

    @property
    def is_there(self) -> bool:
        """Whether anything was handed in, readable or not."""
        return not isinstance(self.problem, Missing)

    @property
    def sha256(self) -> str | None:
        """The SHA-256 of its bytes, or None if they could not be read."""
        return None if self.problem else hashlib.sha256(self.data).hexdigest()

    def at_most(self, max_mb: int) -> HandedIn:
        """Return it, or what stands in its place where it is larger than so many MB."""
        if len(self.data) <= max_mb * 10**6:
            return self
        return HandedIn(self.path, problem=too_large(self.path, max_mb * 10**6, len(self.data)))


def read_weights(path: Path | None, max_mb: int) -> HandedIn:
    """Read the weights of a submission."""
    if path is None:
        return HandedIn(Path(), problem=Missing("The submission has no place on disk."))
    try:
        return HandedIn(path, read_handed_in(path, max_mb * 10**6))
    except Unreadable as error:
        return HandedIn(path, problem=error)
