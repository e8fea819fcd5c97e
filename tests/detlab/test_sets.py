"""Sets in Pascal VOC's format: how they are read, and what is refused."""

import functools
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.ops import box_iou
from torchvision.transforms.functional import to_pil_image
from voc_sets import MAP, NAMES, SIZE, annotated, thing, write_set

from detcourse.color_scenes import annotation, make_scene
from detgrader.classroom.batch import hidden_folders
from detgrader.course import Course
from detgrader.sandbox.host import Inside, bwrap_command, isolation_of
from detlab.digits import load_digits
from detlab.sets import downloads, voc

COURSE = Course.find()


def read(folder: Path, *objects: str) -> dict[str, torch.Tensor]:
    """Read the objects from a file."""
    (folder / "a.xml").write_text(annotated(*objects), "utf-8")
    return voc.read_annotation(folder / "a.xml", SIZE, MAP)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return a set of three images; "b" comes first."""
    return write_set(tmp_path / "small", {"train": ["b", "a"], "test": ["c"]})


# An object


def test_boxes_are_edges_from_0(tmp_path: Path) -> None:
    """1 is subtracted from the minima only; a box may be all of the image."""
    found = read(tmp_path, thing((1, 1, 40, 30)), thing((2, 3, 20, 15), "WBC"))
    assert found["boxes"].tolist() == [[0, 0, 40, 30], [1, 2, 20, 15]]
    assert found["labels"].tolist() == [1, 2]
    assert found["difficult"].tolist() == [False, False]
    assert [value.dtype for value in found.values()] == [torch.float32, torch.int64, torch.bool]


def test_edges_overlap_as_voc_counts_in_pixels(tmp_path: Path) -> None:
    """The IoU of edges is that of the sets of pixels that two boxes name."""
    generator = torch.Generator().manual_seed(1)
    for _ in range(20):
        firsts = torch.randint(1, 15, (2, 2), generator=generator)
        lasts = firsts + torch.randint(1, 15, (2, 2), generator=generator)
        pixels = [
            {(x, y) for x in range(a[0], b[0] + 1) for y in range(a[1], b[1] + 1)}
            for a, b in zip(firsts.tolist(), lasts.tolist(), strict=True)
        ]
        written = torch.cat([firsts, lasts], 1).tolist()
        boxes = read(tmp_path, *map(thing, written))["boxes"]
        expected = len(pixels[0] & pixels[1]) / len(pixels[0] | pixels[1])
        assert float(box_iou(boxes, boxes)[0, 1]) == pytest.approx(expected)


def test_an_image_without_objects(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert [tuple(value.shape) for value in found.values()] == [(0, 4), (0,), (0,)]
    assert [value.dtype for value in found.values()] == [torch.float32, torch.int64, torch.bool]


def test_decimals_are_kept(tmp_path: Path) -> None:
    box = read(tmp_path, thing(("45.70000076293945e-1", " 3.5\n", 20.25, 15)))["boxes"]
    assert torch.equal(box, torch.tensor([[3.5700000762939453, 2.5, 20.25, 15]]))


def test_corners_come_in_any_order(tmp_path: Path) -> None:
    found = read(tmp_path, thing(keys=("xmax", "ymin", "ymax", "xmin")))
    assert found["boxes"].tolist() == [[1, 2, 20, 15]]


def test_parts_are_no_objects(tmp_path: Path) -> None:
    """A part's box and name, even before the object's own, are not the object's."""
    part = "<part><name>head</name><bndbox><xmin>9</xmin><ymin>9</ymin></bndbox></part>"
    nested = f"<part>{thing(name='WBC')}</part>"
    found = read(tmp_path, thing(more=part + nested), f"<more>{thing(name='WBC')}</more>")
    assert found["boxes"].tolist() == [[1, 2, 20, 15]]
    assert found["labels"].tolist() == [1]


@pytest.mark.parametrize(
    ("more", "flag"),
    [
        ("", False),
        ("<difficult/>", False),
        ("<difficult> </difficult>", False),
        ("<difficult>0</difficult>", False),
        ("<difficult> 1\n</difficult>", True),
        ("<part><difficult>1</difficult></part>", False),
    ],
)
def test_an_object_is_difficult_only_if_it_says_so(tmp_path: Path, more: str, flag: bool) -> None:
    assert read(tmp_path, thing(more=more))["difficult"].tolist() == [flag]


def test_blanks_around_a_name_do_not_count(tmp_path: Path) -> None:
    assert read(tmp_path, thing(name="\n  WBC\t"))["labels"].tolist() == [2]


@pytest.mark.parametrize(
    ("thin", "box"),
    [
        ((2, 3, 2, 15), [1, 2, 2, 15]),
        ((2, 3, 20, 3), [1, 2, 20, 3]),
        ((5, 5, 5, 5), [4, 4, 5, 5]),
        ((40, 30, 40, 30), [39, 29, 40, 30]),
    ],
    ids=["width", "height", "both", "the last pixel"],
)
def test_an_object_of_one_row_or_column_is_read_with_a_warning(
    tmp_path: Path, thin: tuple, box: list[int]
) -> None:
    with pytest.warns(UserWarning, match="no more than a pixel") as caught:
        found = read(tmp_path, thing(), thing(thin, "WBC"), thing((1, 1, 2, 2)))
    assert [str(one.message) for one in caught] == [
        f"{tmp_path / 'a.xml'}, object 2 (WBC): the box is no more than a pixel wide or high"
    ]
    assert found["boxes"].tolist() == [[1, 2, 20, 15], box, [0, 0, 2, 2]]
    assert (len(found["labels"]), len(found["difficult"])) == (3, 3)


WRONG = {
    "left": (thing((0.5, 3, 20, 15)), r"\[0\.5, .* sticks out of the image, 40×30 pixels"),
    "top": (thing((2, 0, 20, 15)), "sticks out of the image, 40×30 pixels"),
    "right": (thing((2, 3, 40.5, 15)), "sticks out of the image, 40×30 pixels"),
    "bottom": (thing((2, 3, 20, 31)), "sticks out of the image, 40×30 pixels"),
    "reversed x": (thing((20, 3, 2, 15)), "are reversed"),
    "reversed y": (thing((2, 15, 20, 3)), "are reversed"),
    "no pixel": (thing((5, 3, 4, 15)), "are reversed"),
    "(x, y, w, h)": (thing((30, 20, 5, 6)), r"are reversed; is it \(x, y, w, h\)\?"),
    "flat, outside": (thing((41, 3, 41, 15)), "sticks out of the image"),
    "unknown name": (thing(name="Platelets"), "there is no such class; known: RBC, WBC$"),
    "other case": (thing(name="rbc"), "there is no such class; known: RBC, WBC$"),
    "background": (thing(name="background"), "there is no such class; known: RBC, WBC$"),
    "no name": (thing(name=""), "there is no such class"),
    "a word": (thing(("two", 3, 20, 15)), "xmin is 'two', not a number"),
    "nothing": (thing((2, 3, "", 15)), "xmax is '', not a number"),
    "no corner": (thing((2, 3, 20, None)), "it has no ymax"),
    "nan": (thing((2, "nan", 20, 15)), "is not finite"),
    "infinite": (thing((2, 3, "inf", 15)), "is not finite"),
    "too large": (thing((2, 3, "1e999", 15)), "is not finite"),
    "flag": (thing(more="<difficult>yes</difficult>"), "difficult is 'yes', not 0 or 1"),
    "other flag": (thing(more="<difficult>2</difficult>"), "difficult is '2', not 0 or 1"),
    "no box": ("<object><name>RBC</name></object>", "it has no xmin"),
}


@pytest.mark.parametrize(("wrong", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_an_object_is_named(tmp_path: Path, wrong: str, message: str) -> None:
    with pytest.raises(voc.AnnotationError, match=message) as refusal:
        read(tmp_path, thing(), wrong, thing())
    assert str(refusal.value).startswith(f"{tmp_path / 'a.xml'}, object 2 (")


def test_a_long_name_does_not_fill_the_screen(tmp_path: Path) -> None:
    with pytest.raises(voc.AnnotationError) as refusal:
        read(tmp_path, thing(name="x" * 10_000))
    assert len(str(refusal.value)) < len(str(tmp_path)) + 200


# A file


def bomb(encoding: str) -> bytes:
    """Write an annotation whose one name would have 10 to the power of 9 letters."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 9))
    head = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e0 "lolololol!">{entities}]>'
    return (head + annotated(thing(name="&e8;"))).encode(encoding)


FILES = {
    "no XML": b"\xff\xd8\xff\xe0",
    "empty": b"",
    "cut short": annotated(thing()).encode()[:-20],
    "unknown entity": annotated(thing(name="&cell;")).encode(),
    "unknown encoding": b'<?xml version="1.0" encoding="klingon"?><annotation/>',
    "bomb": bomb("utf-8"),
    "bomb in UTF-16": bomb("utf-16"),
    "outside file": b'<!DOCTYPE a [<!ENTITY e SYSTEM "/etc/passwd">]><annotation>&e;</annotation>',
    "deeply nested": b"<annotation>" + b"<a>" * 100_000,
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_broken_and_hostile_xml_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.xml").write_bytes(content)
    with pytest.raises(voc.AnnotationError, match="is not sound XML: ") as refusal:
        voc.read_annotation(tmp_path / "a.xml", SIZE, MAP)
    assert str(refusal.value).startswith(str(tmp_path / "a.xml"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused_unread(tmp_path: Path, encoding: str) -> None:
    """No parser's own limit is relied on: older ones have none."""
    (tmp_path / "a.xml").write_text(f"<!DOCTYPE annotation>{annotated()}", encoding)
    with pytest.raises(voc.AnnotationError, match="declares a document type"):
        voc.read_annotation(tmp_path / "a.xml", SIZE, MAP)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    content = annotated().encode()
    (tmp_path / "a.xml").write_bytes(content + b" " * (voc.MAX_BYTES - len(content)))
    assert len(voc.read_annotation(tmp_path / "a.xml", SIZE, MAP)["labels"]) == 0
    (tmp_path / "a.xml").write_bytes(content + b" " * (voc.MAX_BYTES + 1 - len(content)))
    with pytest.raises(voc.AnnotationError, match=f"it has more than {voc.MAX_BYTES} bytes"):
        voc.read_annotation(tmp_path / "a.xml", SIZE, MAP)


def test_a_page_that_came_instead_is_no_image_without_objects(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<html><body>Not found</body></html>")
    with pytest.raises(voc.AnnotationError, match=r"a\.xml is no annotation: its root is <html>"):
        voc.read_annotation(tmp_path / "a.xml", SIZE, MAP)


def lie_about_size(path: Path, side: int) -> None:
    """Make an image's header say that it is `side` pixels wide and high."""
    content = bytearray(path.read_bytes())
    start = content.index(b"\xff\xc0") + 5  # the frame's header: length, depth, height, width
    content[start : start + 4] = 2 * side.to_bytes(2, "big")
    path.write_bytes(content)


def lay_a_folder_there(path: Path) -> None:
    path.unlink()
    path.mkdir()


IMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "is missing, though a list names it"),
    "broken": (lambda path: path.write_bytes(b"GIF89a"), "is not an image"),
    "empty": (lambda path: path.write_bytes(b""), "is not an image"),
    "cut short": (lambda path: path.write_bytes(path.read_bytes()[:100]), "is not an image"),
    "folder": (lay_a_folder_there, "is not an image"),
    "100 megapixels": (lambda path: lie_about_size(path, 10_000), "is too large to be opened"),
    "400 megapixels": (lambda path: lie_about_size(path, 20_000), "is too large to be opened"),
}


@pytest.mark.parametrize(("damage", "message"), IMAGES.values(), ids=IMAGES)
def test_a_missing_or_broken_image_is_named(
    small: Path, damage: Callable[[Path], object], message: str
) -> None:
    path = small / "JPEGImages" / "a.jpg"
    damage(path)
    with pytest.raises(voc.AnnotationError, match=message) as refusal:
        voc.read_set([(small, "train")], NAMES)
    assert str(refusal.value).startswith(str(path))


def test_the_images_own_size_counts(small: Path) -> None:
    """What an annotation says of the size is not believed."""
    Image.new("RGB", (19, 30)).save(small / "JPEGImages" / "a.jpg")
    with pytest.raises(voc.AnnotationError, match=r"a\.xml, object 1 \(RBC\): .* 19×30 pixels"):
        voc.read_set([(small, "train")], NAMES)


# A set


def test_a_set_is_read_in_the_order_of_its_lists(small: Path) -> None:
    images = voc.read_set([(small, "test"), (small, "train")], NAMES)
    assert [path.stem for path in images.paths] == ["c", "b", "a"]
    assert all(path.is_absolute() and path.is_file() for path in images.paths)
    assert len(images) == len(images.objects) == 3
    assert images.label_map == MAP


def test_lists_may_have_flags_and_empty_lines(small: Path) -> None:
    (small / "ImageSets/Main/RBC_train.txt").write_text("a  1\n\nb -1\n")
    assert voc.read_split(small, "RBC_train") == ["a", "b"]


def test_a_missing_list_is_named_with_those_that_are_there(small: Path) -> None:
    listed = small / "ImageSets/Main/val.txt"
    with pytest.raises(voc.AnnotationError, match=r"that are there: test, train$") as no:
        voc.read_set([(small, "val")], NAMES)
    assert str(no.value).startswith(f"{listed} is missing; ")
    with pytest.raises(voc.AnnotationError, match="is missing; lists that are there: none"):
        voc.read_set([(small / "JPEGImages", "val")], NAMES)


def test_a_missing_annotation_is_named(small: Path) -> None:
    (small / "Annotations/b.xml").unlink()
    with pytest.raises(voc.AnnotationError, match=r"b\.xml is missing, though a list names it"):
        voc.read_set([(small, "train")], NAMES)


@pytest.mark.parametrize("stem", ["../b", "/etc/passwd", "x\\y", ".."])
def test_a_list_cannot_name_what_lies_elsewhere(small: Path, stem: str) -> None:
    (small / "ImageSets/Main/train.txt").write_text(f"a\n\n{stem}\n")
    with pytest.raises(voc.AnnotationError, match=r"train\.txt, line 3: .* does not name an image"):
        voc.read_set([(small, "train")], NAMES)


def test_a_list_that_is_no_text_is_refused(small: Path) -> None:
    (small / "ImageSets/Main/train.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(voc.AnnotationError, match=r"train\.txt cannot be read"):
        voc.read_set([(small, "train")], NAMES)


def test_empty_lists_are_refused(small: Path) -> None:
    (small / "ImageSets/Main/train.txt").write_text("\n")
    with pytest.raises(voc.AnnotationError, match="name no image"):
        voc.read_set([(small, "train")], NAMES)


def test_lists_hold_what_is_in_the_set(small: Path, tmp_path: Path) -> None:
    (small / "Annotations/a.xml").write_text(annotated())
    (small / "Annotations/b.xml").write_text(
        annotated(thing((2, 3, 20, 15.5), more="<difficult>1</difficult>"), thing(name="WBC"))
    )
    images = voc.read_set([(small, "train")], NAMES)
    files = voc.write_lists(images, tmp_path / "out" / "lists", "train")
    listed = {path.name: json.loads(path.read_text("utf-8")) for path in files}
    assert listed == {
        "train_images.json": [str(path) for path in images.paths],
        "train_objects.json": [
            {"boxes": one["boxes"].tolist(), "labels": labels, "difficult": difficult}
            for one, labels, difficult in zip(
                images.objects, ([1, 2], []), ([True, False], []), strict=True
            )
        ],
        "label_map.json": images.label_map,
    }
    assert listed["train_objects.json"][0]["boxes"][0] == [1, 2, 20, 15.5]


def test_a_list_is_there_whole_or_not_at_all(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_the_disk(path: Path, text: str, encoding: str) -> None:
        path.write_bytes(text[:10].encode(encoding))
        raise OSError(28, "No space left on device")

    images = voc.read_set([(small, "train")], NAMES)
    monkeypatch.setattr(Path, "write_text", fill_the_disk)
    with pytest.raises(OSError, match="No space left"):
        voc.write_lists(images, tmp_path / "lists", "train")
    assert list((tmp_path / "lists").iterdir()) == []


def test_the_digest_is_that_of_names_and_contents(small: Path) -> None:
    digest = voc.content_digest(small)
    os.utime(small / "JPEGImages/a.jpg", (0, 0))
    voc.write_lists(voc.read_set([(small, "train")], NAMES), small / "lists", "train")
    assert voc.content_digest(small) == digest
    files = [path for part in voc.PARTS for path in (small / part).rglob("*") if path.is_file()]
    assert len(files) == 3 + 3 + 2
    for path in files:
        content = path.read_bytes()
        path.write_bytes(content + b" ")
        assert voc.content_digest(small) != digest, path
        path.write_bytes(content)
        path.rename(path.with_name("z"))
        assert voc.content_digest(small) != digest, path
        path.with_name("z").rename(path)
    assert voc.content_digest(small) == digest


# Where they lie


def test_the_folder_that_is_named_comes_before_downloads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_set(tmp_path / "root/BCCD", {"test": ["a"]})
    write_set(tmp_path / "given/BCCD", {"test": ["a"]})
    monkeypatch.delenv("DETLAB_DATA", raising=False)
    assert voc.locate("bccd", tmp_path / "root") == (tmp_path / "root/BCCD", voc.BCCD_CLASSES)
    for given in ("given", "given/BCCD"):
        monkeypatch.setenv("DETLAB_DATA", str(tmp_path / given))
        assert voc.locate("bccd", tmp_path / "root")[0] == tmp_path / "given/BCCD"
    monkeypatch.setenv("DETLAB_DATA", str(tmp_path / "nowhere"))
    assert voc.locate("bccd", tmp_path / "root")[0] == tmp_path / "root/BCCD"


def test_a_set_that_is_not_here_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DETLAB_DATA", str(tmp_path / "given"))
    for look, command in ((functools.partial(voc.locate, "bccd"), "bccd"), (voc.locate_voc, "voc")):
        with pytest.raises(FileNotFoundError, match=f"`detlab data {command}`") as missing:
            look(tmp_path / "root")
        for place in ("given", "root"):
            assert str(tmp_path / place) in str(missing.value)
    with pytest.raises(ValueError, match="there is no set 'coco': digits or bccd"):
        voc.locate("coco", tmp_path)


def test_voc_is_found_with_both_years(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DETLAB_DATA", raising=False)
    (tmp_path / "VOCdevkit/VOC2007/Annotations").mkdir(parents=True)
    with pytest.raises(FileNotFoundError):
        voc.locate_voc(tmp_path)
    (tmp_path / "VOCdevkit/VOC2012/Annotations").mkdir(parents=True)
    assert voc.locate_voc(tmp_path) == tmp_path / "VOCdevkit"
    monkeypatch.setenv("DETLAB_DATA", str(tmp_path))
    assert voc.locate_voc(tmp_path / "nowhere") == tmp_path / "VOCdevkit"


# The digits that come with the course


def embedded() -> voc.ImageSet:
    folder, names = voc.locate("digits")
    return voc.read_set([(folder, "train"), (folder, "test")], names)


def test_the_embedded_digits_are_those_of_the_page_on_data() -> None:
    page = (COURSE.root / "data" / "README.md").read_text("utf-8")
    assert voc.content_digest(voc.DIGITS) == voc.DIGITS_SHA256
    assert f"| `{COURSE.display(voc.DIGITS)}` |" in page
    assert f"`{voc.DIGITS_SHA256}`" in page
    assert f"`{downloads.BCCD_SHA256}`" in page


def test_scenes_are_read_as_they_were_made(tmp_path: Path) -> None:
    """What the writer writes is what the reader reads: not a pixel is lost."""
    digits, labels = load_digits("validation")
    rng = torch.Generator().manual_seed(2)
    for _ in range(5):
        image, target = make_scene(digits, labels, rng)
        text = annotation("a.jpg", to_pil_image(image), target)
        (tmp_path / "a.xml").write_text(text, "utf-8")
        found = voc.read_annotation(
            tmp_path / "a.xml", (300, 300), voc.make_label_map(voc.DIGIT_CLASSES)
        )
        assert {name: value.tolist() for name, value in found.items()} == {
            name: value.tolist() for name, value in target.items()
        }


def test_the_embedded_digits_are_sound() -> None:
    folder, names = voc.locate("digits")
    train, test = voc.read_split(folder, "train"), voc.read_split(folder, "test")
    assert (len(train), len(test), len({*train, *test})) == (40, 20, 60)
    assert {path.stem for path in (folder / "Annotations").iterdir()} == {*train, *test}
    assert {path.stem for path in (folder / "JPEGImages").iterdir()} == {*train, *test}
    images = embedded()  # a warning would be an error here
    assert {voc.size_of(path) for path in images.paths} == {(300, 300)}
    labels = torch.cat([one["labels"] for one in images.objects])
    assert set(labels.tolist()) == set(range(1, 11))
    assert names == tuple("0123456789")
    assert {len(one["labels"]) for one in images.objects} <= {1, 2, 3, 4, 5}
    difficult = torch.cat([one["difficult"] for one in images.objects])
    assert 0 < difficult.sum() < len(labels)


def test_their_boxes_tightly_hold_their_ink() -> None:
    """Ink is what differs from the background, which is smooth: it is fitted around the boxes."""
    across = np.arange(300) / 149.5 - 1
    legendre = np.polynomial.legendre.legvander2d(*np.meshgrid(across, across), [4, 4])
    surface = legendre.reshape(300 * 300, -1)
    loose = {}
    images = embedded()
    for path, objects in zip(images.paths, images.objects, strict=True):
        with Image.open(path) as file:
            pixels = np.asarray(file.convert("RGB"), dtype=float).reshape(-1, 3) / 255
        boxes = objects["boxes"].int().tolist()
        free = np.ones((300, 300), bool)
        for x_min, y_min, x_max, y_max in boxes:
            # JPEG's blocks of colours are 16 pixels wide, and carry some a few pixels further.
            free[max(y_min - 4, 0) : y_max + 4, max(x_min - 4, 0) : x_max + 4] = False
        some = np.flatnonzero(free)[::7]
        weights, *_ = np.linalg.lstsq(surface[some], pixels[some], rcond=None)
        # A digit's colour is 0.35 or more away in each channel; noise stays below 0.13.
        ink = (np.abs(pixels - surface @ weights).max(1) > 0.15).reshape(300, 300)
        assert not ink[free].any(), path
        for box in boxes:
            inside = ink[box[1] : box[3], box[0] : box[2]]
            rows, columns = (np.flatnonzero(inside.any(axis)) for axis in (1, 0))
            gaps = [rows[0], columns[0], len(inside) - 1 - rows[-1]]
            gaps.append(inside.shape[1] - 1 - columns[-1])
            if max(gaps) > 1:
                loose[path.stem, boxes.index(box)] = max(gaps)
    # One scan of MNIST has a speck beside the digit, too faint to be seen and inside the box.
    assert set(loose) <= {("000012", 0)}


# Who gets what


def test_the_sandbox_does_not_show_how_annotations_are_read() -> None:
    """What runs inside imports without it, and sees the digits themselves."""
    inside = Inside(packages=("detlab",), hidden=tuple(hidden_folders(COURSE)))
    look = (
        "import os, detlab, detgrader.sandbox.inside.zygote, detgrader.sandbox.inside.worker\n"
        "home = os.path.dirname(detlab.__file__)\n"
        "print(os.listdir(home + '/sets'), os.path.exists(home + '/data/digits_voc'))"
    )
    command = [*bwrap_command(isolation_of(inside), inside), sys.executable, "-I", "-c", look]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "[] True\n", done


# BCCD itself


def test_bccd_has_what_was_published(bccd: Path) -> None:
    assert voc.content_digest(bccd) == downloads.BCCD_SHA256
    splits = {split: voc.read_split(bccd, split) for split in ("trainval", "train", "val", "test")}
    assert {split: len(stems) for split, stems in splits.items()} == {
        "trainval": 292,
        "train": 205,
        "val": 87,
        "test": 72,
    }
    assert len({*splits["trainval"], *splits["test"]}) == 364
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        images = voc.read_set([(bccd, "trainval"), (bccd, "test")], voc.BCCD_CLASSES)
    assert [str(one.message) for one in caught] == [
        f"{bccd}/Annotations/BloodImage_00338.xml, object 13 (RBC): the box is no more than a "
        "pixel wide or high",
        f"{bccd}/Annotations/BloodImage_00343.xml, object 4 (RBC): the box is no more than a "
        "pixel wide or high",
    ]
    assert len(images) == 364
    labels = torch.cat([one["labels"] for one in images.objects])
    assert len(labels) == sum(len(one["boxes"]) for one in images.objects) == 4888
    boxes = torch.cat([one["boxes"] for one in images.objects])
    assert (boxes[:, :2].min(), boxes[:, 2].max(), boxes[:, 3].max()) == (0, 640, 480)
    assert labels.bincount().tolist()[0] == 0
