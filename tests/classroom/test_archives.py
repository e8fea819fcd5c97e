"""A zip is taken apart with care: nothing lies outside or fills the disk, links lead nowhere."""

from __future__ import annotations

import shutil
import stat
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest

from detgrader.classroom import archives
from detgrader.classroom.archives import unpack
from detgrader.course import CourseError


def zip_of(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries.items():
            file.writestr(name, data)
    return path


def test_what_grading_reads_is_written_and_of_the_rest_the_names(tmp_path: Path) -> None:
    entries = {
        "class/ada/a.ipynb": b"{}",
        "class/ada/a.safetensors": b"weights",
        "class/ada/numpy.py": b"raise SystemExit",
        "class/ada/.git/HEAD": b"ref",
        "class/ada/.git/config": b"secret",
        "__MACOSX/class/ada/._a.ipynb": b"junk",
        "class/submission_metadata.yml": b"a: 1",
    }
    place = unpack(zip_of(tmp_path / "all.zip", entries), tmp_path / "out")
    found = {p.relative_to(place).as_posix(): p for p in place.rglob("*") if p.is_file()}
    assert {name: path.read_bytes() for name, path in found.items()} == {
        "class/ada/a.ipynb": b"{}",
        "class/ada/a.safetensors": b"weights",
        "class/ada/numpy.py": b"",
        "class/ada/.git/HEAD": b"ref",
        "class/submission_metadata.yml": b"a: 1",
    }
    assert place.name == "all"


def test_it_is_unpacked_once_and_anew_when_it_changed(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "all.zip", {"a.ipynb": b"1"})
    first = unpack(archive, tmp_path / "out")
    inode = (first / "a.ipynb").stat().st_ino
    assert unpack(archive, tmp_path / "out") == first
    assert (first / "a.ipynb").stat().st_ino == inode
    second = unpack(zip_of(archive, {"a.ipynb": b"2"}), tmp_path / "out")
    assert (second / "a.ipynb").read_bytes() == b"2"


def test_an_interrupted_unpacking_is_begun_again(tmp_path: Path, monkeypatch) -> None:
    archive = zip_of(tmp_path / "all.zip", {"a.ipynb": b"1", "b.ipynb": b"2"})
    write = archives.write_entry

    def stopped(opened, entry, path: Path) -> None:
        if path.name == "b.ipynb":
            raise KeyboardInterrupt
        write(opened, entry, path)

    with monkeypatch.context() as patch:
        patch.setattr(archives, "write_entry", stopped)
        with pytest.raises(KeyboardInterrupt):
            unpack(archive, tmp_path / "out")
    place = unpack(archive, tmp_path / "out")
    assert sorted(path.name for path in place.iterdir()) == ["a.ipynb", "b.ipynb"]


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({"../up.ipynb": b""}, "would lie outside"),
        ({"a/../../up.ipynb": b""}, "would lie outside"),
        ({"/etc/up.ipynb": b""}, "would lie outside"),
        ({"a\\..\\up.ipynb": b""}, "would lie outside"),
        ({"ada/a.ipynb": b"", "ADA/A.ipynb": b""}, "differs in capitals alone"),
        ({"é.ipynb": b"", "e\u0301.ipynb": b""}, "twice"),
        ({"a.ipynb": b"", "a.ipynb/b.ipynb": b""}, "cannot be unpacked"),
        ({"x" * 300 + ".ipynb": b""}, "File name too long"),
    ],
)
def test_a_hostile_zip_is_refused_whole(tmp_path: Path, entries: dict, says: str) -> None:
    archive = zip_of(tmp_path / "bad.zip", {"good.ipynb": b"", **entries})
    with pytest.raises(CourseError, match=says):
        unpack(archive, tmp_path / "out")
    assert not list(tmp_path.rglob("*.ipynb"))


def test_links_lead_nowhere(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("ada.ipynb")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as file:
        file.writestr(entry, "/etc/passwd")
    place = unpack(tmp_path / "all.zip", tmp_path / "out")
    assert (place / "ada.ipynb").is_symlink()
    assert not (place / "ada.ipynb").exists()


def test_a_bomb_is_cut_off(tmp_path: Path) -> None:
    """A notebook beyond what intake reads is written as far as that shows."""
    entries = {"bomb.ipynb": bytes(archives.MAX_BYTES + (5 << 20)), "bomb.pdf": bytes(50 << 20)}
    place = unpack(zip_of(tmp_path / "all.zip", entries), tmp_path / "out")
    assert (place / "bomb.ipynb").stat().st_size == archives.MAX_BYTES + 1
    assert (place / "bomb.pdf").stat().st_size == 0


def test_too_little_space_is_told_before_anything_is_written(tmp_path: Path, monkeypatch) -> None:
    archive = zip_of(tmp_path / "all.zip", {"a.ipynb": b"1"})
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage(10, 10, 1 << 20))
    with pytest.raises(CourseError, match="make space"):
        unpack(archive, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.ipynb"))


def test_damage_is_told(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "all.zip", {"a.ipynb": b"some text" * 100})
    data = bytearray(archive.read_bytes())
    data[40:50] = bytes(10)
    archive.write_bytes(data)
    with pytest.raises(CourseError, match="download it again"):
        unpack(archive, tmp_path / "out")
