"""A zip that a platform made of a class: taken apart with care, and only what grading reads."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from detgrader.course import CourseError
from detgrader.intake import WEIGHTS, readable
from detlab.checking.notebook import MAX_BYTES

MAX_ENTRIES = 200_000
# Beyond these a file is cut off: whoever reads it refuses what is larger than that.
LARGEST = {".ipynb": MAX_BYTES, WEIGHTS: 1 << 30}
# What tells a layout or a time beside them, each some kilobytes.
TELLING = ("submission_metadata.yml", "timestamp.txt", ".git/HEAD")
MAX_TELLING = 16 << 20
# What must be left on the disk when all is unpacked.
SPARE_BYTES = 64 << 20
LINK_TARGET = "a link in a zip leads nowhere"


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack a zip below a folder, if that was not done before; return where it lies.

    Notebooks, weights and what tells a layout are written; of other files only the names, as empty
    files, so that it can be said what somebody handed in instead. A link becomes one that leads
    nowhere, for intake to refuse.

    Raises:
        CourseError: it is no sound zip, its names lead out of it or clash, or it needs more space
            than there is.
    """
    try:
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            place = folder / digest[:16]
            whole = place / archive.stem
            if not whole.is_dir():
                shutil.rmtree(place, ignore_errors=True)
                place.mkdir(parents=True)
                write_entries(archive, zipfile.ZipFile(file), whole)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise CourseError(f"{archive} cannot be unpacked: {error}; download it again") from None
    except OSError as error:
        raise CourseError(f"{archive} cannot be unpacked: {error.strerror or error}") from None
    return whole


def write_entries(archive: Path, opened: zipfile.ZipFile, whole: Path) -> None:
    """Write what is wanted of a zip, all of it or nothing."""
    entries = list(wanted(archive, opened.infolist()))
    needed = sum(min(entry.file_size, most_of(path)) for entry, path in entries)
    free = shutil.disk_usage(whole.parent).free
    if needed + SPARE_BYTES > free:
        raise CourseError(
            f"{archive} needs {needed >> 20} MiB and {whole.parent} has {free >> 20}: make space, "
            "or name another folder with --out"
        )
    temporary = Path(tempfile.mkdtemp(dir=whole.parent))
    try:
        for entry, path in entries:
            write_entry(opened, entry, temporary / path)
        os.replace(temporary, whole)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def wanted(
    archive: Path, entries: list[zipfile.ZipInfo]
) -> Iterator[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """Yield the files of a zip, less those of hidden folders; none may lie outside or twice."""
    if len(entries) > MAX_ENTRIES:
        raise CourseError(f"{archive} holds more than {MAX_ENTRIES} files")
    taken: set[str] = set()
    for entry in entries:
        path = PurePosixPath(entry.filename)
        named = f"{archive} holds {readable(entry.filename)!r}"
        if path.is_absolute() or ".." in path.parts or "\\" in entry.filename:
            raise CourseError(f"{named}, which would lie outside of it; nothing was unpacked")
        if entry.is_dir() or is_hidden(path):
            continue
        if entry.flag_bits & 1:
            raise CourseError(f"{archive} is encrypted: unpack it yourself and name the folder")
        # Some file systems do not tell capitals apart.
        key = unicodedata.normalize("NFC", str(path)).casefold()
        if key in taken:
            raise CourseError(f"{named} twice, or beside a name that differs in capitals alone")
        taken.add(key)
        yield entry, path


def is_hidden(path: PurePosixPath) -> bool:
    """Say whether a file lies where no submission does."""
    if path.as_posix().endswith(".git/HEAD"):
        return False
    return any(part.startswith((".", "__MACOSX")) for part in path.parts)


def most_of(path: PurePosixPath) -> int:
    """Return how much of a file is written at most."""
    if path.as_posix().endswith(TELLING):
        return MAX_TELLING
    return LARGEST.get(path.suffix.casefold(), -1) + 1


def write_entry(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    """Write one file of a zip."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISLNK(entry.external_attr >> 16):
        path.symlink_to(LINK_TARGET)
        return
    left = most_of(PurePosixPath(path))
    with opened.open(entry) as source, path.open("xb") as target:
        while left > 0 and (data := source.read(min(left, 1 << 20))):
            target.write(data)
            left -= len(data)
