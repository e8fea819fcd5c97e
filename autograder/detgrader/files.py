"""Files: those that somebody handed in, read with care; our own, written whole or not at all."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

# What a file is called that is being written; one that stays was its writer's last.
PART = ".part"


class Unreadable(Exception):
    """A handed-in file that is not read; the message says why, and is fit for its owner."""


class Missing(Unreadable):
    """There is no such file."""


class TooLarge(Unreadable):
    """It is larger than it may be.

    Attributes:
        size: in bytes, as far as it is known.
    """

    def __init__(self, message: str, size: int):
        super().__init__(message, size)
        self.size = size

    def __str__(self) -> str:
        return str(self.args[0])


def read_handed_in(path: Path, max_bytes: int) -> bytes:
    """Read an ordinary file of reasonable size once; no link is followed, nothing is waited for.

    Raises:
        Unreadable: it is missing, too large, a link, a folder, a device, a pipe or locked away.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise Missing(f"{path} does not exist.") from None
    except OSError as error:
        raise Unreadable(f"{path} cannot be opened: {error.strerror}.") from None
    with open(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise Unreadable(f"{path} is not an ordinary file.")
        data = file.read(max_bytes + 1) if about.st_size <= max_bytes else b""
    if about.st_size > max_bytes or len(data) > max_bytes:
        raise too_large(path, max_bytes, about.st_size)
    return data


def too_large(path: Path, max_bytes: int, size: int) -> TooLarge:
    """Say that a file is larger than it may be."""
    return TooLarge(f"{path} is larger than {max_bytes >> 20} MiB.", size)


def write_text(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a text whole or not at all."""
    write_bytes(path, text.encode(), mode)


def write_bytes(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file whole or not at all: into a temporary neighbour, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(PART, f".{path.name}.", path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def write_json(path: Path, value: Any, mode: int = 0o644) -> None:
    """Write a value as JSON, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n", mode)
