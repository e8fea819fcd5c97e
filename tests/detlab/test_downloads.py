"""Fetching sets: once, whole, from where they were published, and never anything else."""

import functools
import gzip
import hashlib
import http.server
import io
import json
import random
import shutil
import socket
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from torchvision.datasets.voc import DATASET_YEAR_DICT
from typer.testing import CliRunner
from voc_sets import annotated, thing, write_set

from detlab.cli import app
from detlab.sets import downloads, voc

# `detlab data bccd`


def fetch(*words: str) -> tuple[int, str]:
    """Run `detlab data`; return its exit status and what it says."""
    done = CliRunner().invoke(app, ["data", *words])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.output if done.exit_code else done.stdout


Member = tuple[tarfile.TarInfo, bytes]


def plain(name: str, content: bytes = b"!") -> Member:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member, content


def special(name: str, kind: bytes, target: str = "") -> Member:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member, b""


def test_bccd_that_is_here_is_not_fetched(
    bccd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "BCCD_URL", "http://127.0.0.1:9/")  # where nobody listens
    monkeypatch.setattr(downloads.os, "access", lambda *_: False)  # it is the staff's
    status, said = fetch("bccd", "--root", str(tmp_path / "root"))
    assert status == 0, said
    lines = said.splitlines()
    assert lines[0] == (
        f"BCCD lies in {bccd}: 292 images to train with, 72 to test with, 4888 objects of 3 "
        "classes."
    )
    assert [line.split(", ")[0][-20:] for line in lines[1:3]] == [
        "BloodImage_00338.xml",
        "BloodImage_00343.xml",
    ]
    assert lines[3].endswith(f"are in {tmp_path / 'root/BCCD-lists'}.")
    objects = json.loads((tmp_path / "root/BCCD-lists/trainval_objects.json").read_text("utf-8"))
    assert (len(objects), sum(len(one["labels"]) for one in objects)) == (292, 3943)


@pytest.fixture
def pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return what packs a BCCD of four images, and more members, as GitHub does.

    It becomes what is published; its content is pinned, whatever the members.
    """
    monkeypatch.delenv("DETLAB_DATA", raising=False)
    home = write_set(tmp_path / "published", {"trainval": ["a", "b", "c"], "test": ["d"]})
    (home / "Annotations/b.xml").write_text(annotated(thing(), thing((5, 5, 5, 9))))
    monkeypatch.setattr(downloads, "BCCD_SHA256", voc.content_digest(home))

    def make(*more: Member, top: str = "BCCD_Dataset-master/") -> Path:
        path = tmp_path / "master.tar.gz"
        with tarfile.open(path, "w:gz", pax_headers={"comment": "0" * 40}) as archive:
            archive.add(home, f"{top}BCCD")
            for member, content in (
                plain(f"{top}LICENSE", b"MIT"),
                plain(f"{top}README.md"),
                plain(f"{top}dataset/Annotations/x.xml"),
                plain(f"{top}BCCD/.DS_Store"),
                plain(f"{top}BCCD/JPEGImages/._a.jpg"),
                special(f"{top}latest", tarfile.SYMTYPE, "BCCD"),
                *more,
            ):
                archive.addfile(member, io.BytesIO(content))
        monkeypatch.setattr(downloads, "BCCD_URL", path.as_uri())
        return path

    return make


def everything_in(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def refused(tmp_path: Path) -> str:
    """Try to fetch BCCD; make sure that nothing is left of it, here or elsewhere."""
    before = everything_in(tmp_path)
    status, said = fetch("bccd", "--root", str(tmp_path / "root"))
    assert status == 1, said
    assert everything_in(tmp_path) - before <= {tmp_path / "root"}
    return " ".join(said.split())


def test_bccd_is_fetched_once(pack: Callable[..., Path], tmp_path: Path) -> None:
    archive, home = pack(), tmp_path / "root" / "BCCD"
    said = []
    for _ in range(2):
        status, words = fetch("bccd", "--root", str(tmp_path / "root"))
        assert status == 0, words
        said.append(words)
        archive.unlink(missing_ok=True)  # the second time, nothing is there to fetch
    assert said[0] == said[1]
    assert said[0].splitlines() == [
        f"BCCD lies in {home}: 3 images to train with, 1 to test with, 5 objects of 3 classes.",
        f"Note: {home / 'Annotations/b.xml'}, object 2 (RBC): the box is no more than a pixel wide "
        "or high.",
        f"Lists of its images and objects are in {home / 'lists'}.",
    ]
    assert list((tmp_path / "root").iterdir()) == [home]
    assert {path.name for path in home.iterdir()} == {*voc.PARTS, "LICENSE", "lists"}
    assert len(list((home / "JPEGImages").iterdir())) == 4
    for split, count in (("trainval", 3), ("test", 1)):
        images = json.loads((home / f"lists/{split}_images.json").read_text("utf-8"))
        assert [Path(path).parent for path in images] == [home / "JPEGImages"] * count
    label_map = json.loads((home / "lists/label_map.json").read_text("utf-8"))
    assert label_map == voc.make_label_map(voc.BCCD_CLASSES)


def test_a_folder_that_nobody_may_write_to_is_left_alone(tmp_path: Path) -> None:
    """Root may write anywhere: what the owner has said counts."""
    home = tmp_path / "home"
    home.mkdir()
    assert downloads.lists_folder(home, tmp_path / "other") == home / "lists"
    home.chmod(0o555)
    assert downloads.lists_folder(home, tmp_path / "other") == tmp_path / "other"
    home.chmod(0o755)


def test_lists_that_cannot_be_written_leave_the_set(
    pack: Callable[..., Path], tmp_path: Path
) -> None:
    pack()
    assert fetch("bccd", "--root", str(tmp_path / "root"))[0] == 0
    shutil.rmtree(tmp_path / "root/BCCD/lists")
    (tmp_path / "root/BCCD/lists").write_text("in the way")
    status, said = fetch("bccd", "--root", str(tmp_path / "root"))
    assert status == 1
    assert "is whole, but its lists cannot be written to" in " ".join(said.split())


def test_another_content_is_refused_with_both_checksums(
    pack: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack()
    found = downloads.BCCD_SHA256
    monkeypatch.setattr(downloads, "BCCD_SHA256", 32 * "a1")
    said = refused(tmp_path)
    assert "the published set has changed" in said
    assert found in said
    assert 32 * "a1" in said
    pack(plain("BCCD_Dataset-master/BCCD/Annotations/e.xml"))
    monkeypatch.setattr(downloads, "BCCD_SHA256", found)
    assert "the published set has changed" in refused(tmp_path)


def flip_a_bit(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "cut in the middle": lambda content: content[: len(content) // 2],
    "without its end": lambda content: content[:-4],
    "a bit": flip_a_bit,
    "its checksum": lambda content: content[:-8] + b"\0\0\0\0" + content[-4:],
    "a page": lambda _: b"<html>Please log in</html>",
    "empty": lambda _: b"",
    "no archive inside": lambda _: gzip.compress(b"x" * 2000),
}


@pytest.mark.parametrize("damage", BROKEN.values(), ids=BROKEN)
def test_a_broken_archive_is_not_kept(
    pack: Callable[..., Path], tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    archive = pack()
    archive.write_bytes(damage(archive.read_bytes()))
    said = refused(tmp_path)
    assert f"BCCD could not be fetched into {tmp_path / 'root'}: " in said
    assert "Nothing was kept." in said


def test_no_part_of_an_archive_may_change(
    pack: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decompression, the archive's form, its checksum or the content's digest tells."""
    long = f"{annotated()}<!--{random.Random(1).randbytes(20_000).hex()}-->"
    (tmp_path / "published/Annotations/c.xml").write_text(long)
    monkeypatch.setattr(downloads, "BCCD_SHA256", voc.content_digest(tmp_path / "published"))
    archive = pack()
    content = archive.read_bytes()
    for place in range(40, len(content), len(content) // 40):  # after the name
        archive.write_bytes(content[:place] + bytes(8) + content[place + 8 :])
        refused(tmp_path)
    archive.write_bytes(content)
    assert fetch("bccd", "--root", str(tmp_path / "root"))[0] == 0


IN_SET = "BCCD_Dataset-master/BCCD/JPEGImages/"
HOSTILE = {
    "parent": plain("../evil.txt"),
    "parent inside": plain("BCCD_Dataset-master/BCCD/../../../evil.txt"),
    "parent as top": plain("../Annotations/e.xml"),
    "absolute": plain("/tmp/evil-of-test-sets.txt"),
    "symlink": special(f"{IN_SET}e.jpg", tarfile.SYMTYPE, "/etc/passwd"),
    "hard link": special(f"{IN_SET}e.jpg", tarfile.LNKTYPE, f"{IN_SET}a.jpg"),
    "device": special(f"{IN_SET}e.jpg", tarfile.CHRTYPE),
    "pipe elsewhere": special("BCCD_Dataset-master/pipe", tarfile.FIFOTYPE),
}


@pytest.mark.parametrize("member", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_archive_is_refused(
    pack: Callable[..., Path], tmp_path: Path, member: Member
) -> None:
    pack(member)
    said = refused(tmp_path)
    assert f"the archive of BCCD holds {member[0].name!r}" in said
    assert "nothing was kept" in said
    assert not Path("/tmp/evil-of-test-sets.txt").exists()


def test_a_folder_swapped_for_a_link_leads_nowhere(
    pack: Callable[..., Path], tmp_path: Path
) -> None:
    """No link is ever made, so none can be written through."""
    (tmp_path / "elsewhere").mkdir()
    pack(
        special("x-master/Annotations", tarfile.SYMTYPE, str(tmp_path / "elsewhere")),
        plain("x-master/Annotations/e.xml"),
    )
    assert "the published set has changed" in refused(tmp_path)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_an_archive_cannot_fill_the_disk(
    pack: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack(plain(f"{IN_SET}e.jpg", bytes(downloads.MAX_FILE_BYTES + 1)))
    assert f"with {downloads.MAX_FILE_BYTES + 1} bytes" in refused(tmp_path)
    monkeypatch.setattr(downloads, "MAX_BYTES", 2 << 20)
    pack(plain("BCCD_Dataset-master/other.bin", bytes(3 << 20)))
    assert "holds more than 2 MiB" in refused(tmp_path)
    archive = pack()
    archive.write_bytes(archive.read_bytes() + gzip.compress(bytes(3 << 20)))  # after its end
    assert "holds more than 2 MiB" in refused(tmp_path)
    archive = pack()
    archive.write_bytes(archive.read_bytes() + 120_000 * gzip.compress(b""))  # never any content
    assert "holds more than 2 MiB" in refused(tmp_path)
    pack()
    monkeypatch.setattr(downloads, "MAX_FILES", 10)
    assert "holds more than 10 files" in refused(tmp_path)


@pytest.fixture
def serve() -> Iterator[Callable[[type[http.server.BaseHTTPRequestHandler]], str]]:
    """Return what starts a server with a handler, and returns its address."""
    servers: list[tuple[http.server.ThreadingHTTPServer, threading.Thread]] = []

    def start(handler: Callable[..., http.server.BaseHTTPRequestHandler]) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


class Half(http.server.BaseHTTPRequestHandler):
    """Promise an archive, send half of it, and hang up."""

    content = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content[: len(self.content) // 2])

    def log_message(self, *_: object) -> None:
        pass


def test_a_lost_connection_leaves_nothing(
    pack: Callable[..., Path], serve: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Half of it, and still a megabyte: the loss comes in the middle of the unpacking.
    noise = random.Random(1).randbytes(2 << 20)
    content = pack(plain("BCCD_Dataset-master/z.bin", noise)).read_bytes()
    monkeypatch.setattr(Half, "content", content)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(downloads, "BCCD_URL", serve(Half))
    assert "Is this machine online" in refused(tmp_path)


def test_a_silent_server_is_taken_for_lost(
    pack: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack()
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(downloads, "SILENCE_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setattr(downloads, "BCCD_URL", address)
        assert "timed out" in refused(tmp_path)
    assert socket.getdefaulttimeout() is None


def test_without_a_network_an_error_says_so(
    pack: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack()
    monkeypatch.setattr(downloads, "BCCD_URL", "http://127.0.0.1:9/")  # where nobody listens
    assert "Is this machine online" in refused(tmp_path)


def test_what_lies_in_the_way_is_neither_used_nor_removed(
    pack: Callable[..., Path], tmp_path: Path
) -> None:
    pack()
    (tmp_path / "root/BCCD/Annotations").mkdir(parents=True)
    assert "root/BCCD is not a whole BCCD. Move it away" in refused(tmp_path)
    assert (tmp_path / "root/BCCD/Annotations").is_dir()


def test_a_set_that_was_found_damaged_is_named(pack: Callable[..., Path], tmp_path: Path) -> None:
    pack()
    assert fetch("bccd", "--root", str(tmp_path / "root"))[0] == 0
    (tmp_path / "root/BCCD/JPEGImages/d.jpg").unlink()
    said = refused(tmp_path)
    assert "BCCD is not sound: " in said
    assert "d.jpg is missing" in said
    assert f"move {tmp_path / 'root/BCCD'} away" in said


# `detlab data voc`


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serve a folder without a word."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def archives(tmp_path: Path, serve: Callable, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder from which torchvision fetches a small VOC of two years."""
    monkeypatch.delenv("DETLAB_DATA", raising=False)
    folder = tmp_path / "archives"
    folder.mkdir()
    splits = {
        "2007": ("VOC2007", {"trainval": ["000001", "000002"]}),
        "2007-test": ("VOC2007", {"test": ["000003"]}),
        "2012": ("VOC2012", {"trainval": ["2008_000001"]}),
    }
    address = serve(functools.partial(Quiet, directory=str(folder)))
    for key, (year, lists) in splits.items():
        home = write_set(tmp_path / "made" / key, lists, name="person")
        filename = DATASET_YEAR_DICT[key]["filename"]
        with tarfile.open(folder / filename, "w") as archive:
            archive.add(home, f"VOCdevkit/{year}")
        md5 = hashlib.md5((folder / filename).read_bytes(), usedforsecurity=False).hexdigest()
        monkeypatch.setitem(DATASET_YEAR_DICT[key], "url", address + filename)
        monkeypatch.setitem(DATASET_YEAR_DICT[key], "md5", md5)
    monkeypatch.setenv("no_proxy", "*")
    return folder


def test_voc_is_fetched_once(archives: Path, tmp_path: Path) -> None:
    home = tmp_path / "root/VOCdevkit"
    for _ in range(2):
        status, said = fetch("voc", "--root", str(tmp_path / "root"))
        assert status == 0, said
        assert said.splitlines() == [
            f"VOC lies in {home}: 3 images to train with, 1 to test with, 4 objects of 20 classes.",
            f"Lists of its images and objects are in {home / 'lists'}.",
        ]
        shutil.rmtree(archives, ignore_errors=True)  # the second time, nothing is there to fetch
    assert list((tmp_path / "root").iterdir()) == [home]
    assert sorted(path.name for path in home.iterdir()) == ["VOC2007", "VOC2012", "lists"]
    listed = json.loads((home / "lists/trainval_images.json").read_text())
    assert [Path(path).stem for path in listed] == ["000001", "000002", "2008_000001"]
    listed = json.loads((home / "lists/test_images.json").read_text())
    assert [Path(path).stem for path in listed] == ["000003"]


def test_a_damaged_voc_is_not_kept(archives: Path, tmp_path: Path) -> None:
    last = archives / DATASET_YEAR_DICT["2012"]["filename"]
    last.write_bytes(flip_a_bit(last.read_bytes()))
    status, said = fetch("voc", "--root", str(tmp_path / "root"))
    assert status == 1
    assert "VOC could not be fetched" in " ".join(said.split())
    assert list((tmp_path / "root").iterdir()) == []


def test_half_a_voc_in_the_way_is_named(archives: Path, tmp_path: Path) -> None:
    (tmp_path / "root/VOCdevkit/VOC2007").mkdir(parents=True)
    status, said = fetch("voc", "--root", str(tmp_path / "root"))
    assert (status, "VOCdevkit is not a whole VOC. Move it" in " ".join(said.split())) == (1, True)
