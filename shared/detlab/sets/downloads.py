"""Fetch the sets that are too large to come with the course: MNIST, BCCD, Pascal VOC.

A set is made in a folder aside and gets its own name once it is whole, so that what is there can
be relied on: when anything fails, nothing is kept.
"""

import contextlib
import gzip
import os
import re
import socket
import tarfile
import tempfile
import urllib.request
import warnings
import zlib
from collections.abc import Iterator, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import IO

from detlab.sets import voc

# A server silent for this long is taken for lost; torchvision itself waits without end.
SILENCE_S = 60.0
BCCD_URL = "https://github.com/Shenggan/BCCD_Dataset/archive/refs/heads/master.tar.gz"
# The content is pinned, not the archive: GitHub packs the same files into other bytes at times.
BCCD_SHA256 = "debd2d76b13c300a3999f96a08cbe9ada5f231c3f882f9877a65a01a695872d1"
# In the archive, all lies in a folder with the branch's name, and most of it in `BCCD` there.
BCCD_FILES = re.compile(
    r"[^/]+/(?:BCCD/)?"
    r"(Annotations/\w[^/]*\.xml|JPEGImages/\w[^/]*\.jpg|ImageSets/Main/\w[^/]*\.txt|LICENSE)"
)
# Far more than BCCD has: 9 MB in 733 files, of which the largest has 24 kB.
MAX_BYTES, MAX_FILE_BYTES, MAX_FILES = 256 << 20, 1 << 20, 5_000


class DownloadError(Exception):
    """A set cannot be had; the message says what was wrong and what to do."""


@contextlib.contextmanager
def aside(name: str, root: Path) -> Iterator[Path]:
    """Lend a folder in `root` to make a set in; it goes, whatever happens.

    Raises:
        DownloadError: the set could not be fetched, unpacked or written.
    """
    waits = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SILENCE_S)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{name.lower()}-", dir=root) as folder:
            yield Path(folder)
    except (
        *(OSError, HTTPException, RuntimeError, ValueError),
        *(EOFError, tarfile.TarError, zlib.error),  # a damaged archive
    ) as error:
        reason = " ".join(str(error).split())
        raise DownloadError(
            f"{name} could not be fetched into {root}: {reason}\nNothing was kept. Is this "
            "machine online, and may you write there? Then try again later."
        ) from None
    finally:
        socket.setdefaulttimeout(waits)


def refuse_remains(name: str, home: Path) -> None:
    """Refuse to fetch a set where something else has its name."""
    if home.exists():
        raise DownloadError(
            f"{home} is not a whole {name}. Move it away and run this again, to fetch it afresh."
        )


def fetch_mnist(root: Path) -> str:
    """Fetch the full MNIST through torchvision, unless it is there, and say what is there.

    torchvision compares each download with its MD5, but takes any file of the right name for a
    whole one.

    Raises:
        DownloadError: it cannot be fetched, or what is there is damaged.
    """
    from torchvision.datasets import MNIST  # here, since it takes a second

    home = root / "MNIST"
    if not home.exists():
        with aside("MNIST", root) as folder:
            MNIST(folder, download=True)
            (folder / "MNIST").rename(home)
    try:
        train, test = (len(MNIST(root, train=train)) for train in (True, False))
    except Exception:  # a damaged file fails in many ways
        raise DownloadError(f"{home} is not a whole MNIST. Remove it and run this again.") from None
    return f"MNIST lies in {home}: {train} images to train with, {test} to test with."


def fetch_bccd(root: Path) -> str:
    """Fetch BCCD, photographs of blood cells, unless it is there; read it and say what is there.

    `voc.locate` looks for it first. The lists of its images and objects are written beside it.

    Args:
        root: where `BCCD` is put, and `BCCD-lists` if nobody may write to the folder found.

    Returns:
        Lines for people.

    Raises:
        DownloadError: it cannot be fetched, is not what was published, or is not sound.
    """
    try:
        home, names = voc.locate("bccd", root)
    except FileNotFoundError:
        make_bccd(root)
        home, names = voc.locate("bccd", root)
    return read_whole("BCCD", home, [(home, "trainval")], [(home, "test")], names, root)


def make_bccd(root: Path) -> None:
    """Fetch BCCD into `root` / `BCCD` and compare it with what was published."""
    home = root / "BCCD"
    refuse_remains("BCCD", home)
    with aside("BCCD", root) as folder:
        made = folder / "BCCD"
        unpack_bccd(made)
        digest = voc.content_digest(made)
        if digest != BCCD_SHA256:
            raise DownloadError(
                "BCCD was fetched, but the published set has changed: its content has the SHA-256 "
                f"{digest}, and the course was made with {BCCD_SHA256}.\n"
                "Nothing was kept. Is there a newer version of the course? If not, tell its staff."
            )
        made.rename(home)


def unpack_bccd(home: Path) -> None:
    """Fetch BCCD's archive and unpack the set in it, while it arrives.

    Only files of the set are unpacked, each under the name that the set gives it and with the
    rights of any new file.

    Raises:
        DownloadError: the archive holds what no such archive does.
        OSError, HTTPException, EOFError, ValueError, zlib.error, tarfile.TarError: it is damaged,
            or did not arrive.
    """
    with (
        urllib.request.urlopen(BCCD_URL) as response,
        gzip.GzipFile(fileobj=Capped(response)) as unpacked,
    ):
        stream, names = Capped(unpacked), set()
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                name = name_in_set(member)
                if name:
                    names.add(name)
                    if len(names) > MAX_FILES:
                        raise hostile(f"more than {MAX_FILES} files")
                    (home / name).parent.mkdir(parents=True, exist_ok=True)
                    (home / name).write_bytes(archive.extractfile(member).read())
        while stream.read(1 << 16):  # the archive's own checksum comes last
            pass


def name_in_set(member: tarfile.TarInfo) -> str | None:
    """Return the name that a member of BCCD's archive has in the set, or None if it has none.

    Raises:
        DownloadError: it could do harm.
    """
    place = member.name[:60]
    if member.name.startswith("/") or ".." in member.name.split("/"):
        raise hostile(f"{place!r}, which would lie outside of its folder")
    if not (member.isreg() or member.isdir() or member.issym()):
        raise hostile(f"{place!r}, which is neither a file nor a folder")
    found = BCCD_FILES.fullmatch(member.name)
    if found is None or member.isdir():
        return None
    if member.issym():
        raise hostile(f"{place!r}, which should be a file and is a link")
    if member.size > MAX_FILE_BYTES:
        raise hostile(f"{place!r} with {member.size} bytes")
    return found[1]


def hostile(what: str) -> DownloadError:
    """Make the error about an archive that nobody should unpack."""
    return DownloadError(
        f"the archive of BCCD holds {what}: it was not unpacked, and nothing was kept. It is not "
        "what was published; fetch it from another network, or tell the course's staff."
    )


class Capped:
    """A stream to read from, with an end: a small archive may unpack to a full disk."""

    def __init__(self, stream: IO[bytes]):
        self.stream, self.left = stream, MAX_BYTES

    def read(self, size: int = -1) -> bytes:
        """Read as the stream does, until it has given more than it may."""
        content = self.stream.read(size)
        self.left -= len(content)
        if self.left < 0:
            raise hostile(f"more than {MAX_BYTES >> 20} MiB")
        return content


def fetch_voc(root: Path) -> str:
    """Fetch Pascal VOC 2007 and 2012 through torchvision, unless they are there; read them.

    `voc.locate_voc` looks for them first. torchvision compares each archive with its MD5. The lists
    of images and objects are written beside them: `trainval` of both years, `test` of 2007.

    Args:
        root: where `VOCdevkit` is put, and `VOC-lists` if nobody may write to the folder found.

    Returns:
        Lines for people: where they lie and what is in them.

    Raises:
        DownloadError: they cannot be fetched, or are not sound.
    """
    try:
        home = voc.locate_voc(root)
    except FileNotFoundError:
        make_voc(root)
        home = voc.locate_voc(root)
    years = [home / "VOC2007", home / "VOC2012"]
    training, testing = [(year, "trainval") for year in years], [(years[0], "test")]
    return read_whole("VOC", home, training, testing, voc.VOC_CLASSES, root)


def make_voc(root: Path) -> None:
    """Fetch Pascal VOC 2007 and 2012 into `root` / `VOCdevkit`."""
    from torchvision.datasets import VOCDetection  # here, since it takes a second

    home = root / "VOCdevkit"
    refuse_remains("VOC", home)
    with aside("VOC", root) as folder:
        for year, split in (("2007", "trainval"), ("2007", "test"), ("2012", "trainval")):
            VOCDetection(folder, year, split, download=True)
            for archive in folder.glob("*.tar"):  # the next one may need its room
                archive.unlink()
        (folder / "VOCdevkit").rename(home)


Source = tuple[Path, str]


def read_whole(
    name: str,
    home: Path,
    training: Sequence[Source],
    testing: Sequence[Source],
    names: Sequence[str],
    root: Path,
) -> str:
    """Read all of a set, write its lists, and say what is in it.

    Args:
        name: of the set, for people.
        home: where it lies; its lists go to the folder `lists` there, or to `root` / `NAME-lists`.
        training: folders, each with the name of a split, as for `voc.read_set`.
        testing: likewise.
        names: the classes.
        root: where downloads land.

    Raises:
        DownloadError: it is not sound, or its lists cannot be written.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            sets = [voc.read_set(sources, names) for sources in (training, testing)]
        except (voc.AnnotationError, OSError) as error:
            raise DownloadError(
                f"{name} is not sound: {error}\nRepair it, or move {home} away and run this again, "
                "to fetch it afresh."
            ) from None
    out = lists_folder(home, root / f"{name}-lists")
    try:
        for images, split in zip(sets, ("trainval", "test"), strict=True):
            voc.write_lists(images, out, split)
    except OSError as error:
        raise DownloadError(
            f"{name} lies in {home} and is whole, but its lists cannot be written to {out}: "
            f"{error.strerror}. May you write there, and is there room?"
        ) from None
    objects = sum(len(one["labels"]) for images in sets for one in images.objects)
    return "\n".join(
        [
            f"{name} lies in {home}: {len(sets[0])} images to train with, {len(sets[1])} to test "
            f"with, {objects} objects of {len(names)} classes.",
            *(f"Note: {warning.message}." for warning in caught),
            f"Lists of its images and objects are in {out}.",
        ]
    )


def lists_folder(home: Path, otherwise: Path) -> Path:
    """Return where a set's lists go: beside it, or elsewhere if that is not to be written to."""
    own = home / "lists"
    place = own if own.exists() else home
    # A superuser may write anywhere, but leaves alone what nobody is meant to write to.
    writable = os.access(place, os.W_OK) and place.stat().st_mode & 0o222
    return own if writable else otherwise
