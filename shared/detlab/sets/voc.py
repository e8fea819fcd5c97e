"""Sets in Pascal VOC's format: where they lie, what is in them, and whether it is sound.

A set is a folder with `Annotations/*.xml`, `JPEGImages/*.jpg` and, for each split, a list of stems
in `ImageSets/Main/*.txt`. It is parsed once, into lists of images and objects (JSON).
"""

import hashlib
import json
import math
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import torch
from PIL import Image
from torch import Tensor

VOC_CLASSES = tuple(
    "aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike "
    "person pottedplant sheep sofa train tvmonitor".split()
)
BCCD_CLASSES = ("RBC", "WBC", "Platelets")
DIGIT_CLASSES = tuple("0123456789")
DIGITS = Path(__file__).parents[1] / "data" / "digits_voc"
# The content digest of the set that comes with the course.
DIGITS_SHA256 = "a1ac792c25d164cab6fe0b8e4959b223d1e3c1d171c1c9ace17f6992450dff33"
PARTS = ("Annotations", "ImageSets", "JPEGImages")
CORNERS = ("xmin", "ymin", "xmax", "ymax")
# The largest annotation of VOC has some 30 kB, the longest list 300 kB.
MAX_BYTES = 2 << 20


class AnnotationError(ValueError):
    """A set is not what it should be; the message names the file and the object."""


@dataclass(frozen=True)
class ImageSet:
    """The images of a split and the objects in them.

    Attributes:
        paths: of the images.
        objects: for each image "boxes" (n, 4) float32, `xyxy`, edges in pixels from 0, "labels"
            (n,) int64, and "difficult" (n,) bool.
        label_map: numbers of the classes by name, "background" is 0.
    """

    paths: list[Path]
    objects: list[dict[str, Tensor]]
    label_map: dict[str, int]

    def __len__(self) -> int:
        return len(self.paths)


def locate(name: str, root: Path = Path("data")) -> tuple[Path, tuple[str, ...]]:
    """Find a set on this machine.

    Args:
        name: "digits", which comes with the course, or "bccd".
        root: where downloads land; the folder that the environment variable DETLAB_DATA names
            is searched first.

    Returns:
        Its folder, and the names of its classes in the order of their numbers.

    Raises:
        FileNotFoundError: it is not here; the message says how to get it.
        ValueError: no set has this name.
    """
    if name == "digits":
        return DIGITS, DIGIT_CLASSES
    if name != "bccd":
        raise ValueError(f"there is no set {name!r}: digits or bccd")
    given = os.environ.get("DETLAB_DATA")
    places = [*([Path(given)] if given else []), root]
    for place in places:
        for folder in (place / "BCCD", place):
            if (folder / "Annotations").is_dir() and (folder / "JPEGImages").is_dir():
                return folder.resolve(), BCCD_CLASSES
    where = " nor in ".join(str(place) for place in places)
    raise FileNotFoundError(
        f"BCCD is not in {where}: fetch it with `detlab data bccd`, or name the folder that holds "
        "it in the environment variable DETLAB_DATA"
    )


def locate_voc(root: Path = Path("data")) -> Path:
    """Return the folder that holds `VOC2007` and `VOC2012`, as `detlab data voc` leaves it.

    Raises:
        FileNotFoundError: they are not here; the message says how to get them.
    """
    given = os.environ.get("DETLAB_DATA")
    places = [place / "VOCdevkit" for place in ([Path(given)] if given else []) + [root]]
    for place in places:
        if all((place / year / "Annotations").is_dir() for year in ("VOC2007", "VOC2012")):
            return place.resolve()
    where = " nor ".join(str(place) for place in places)
    raise FileNotFoundError(
        f"VOC2007 and VOC2012 are not in {where}: fetch them with `detlab data voc`"
    )


def content_digest(folder: Path) -> str:
    """Return one SHA-256 for all that a set holds, in hexadecimal.

    It is taken over lines as `sha256sum` prints them, one for each file in `Annotations`,
    `ImageSets` and `JPEGImages`, in the order of their names. Times, rights and whatever else lies
    in the folder do not count.

    Raises:
        OSError: a file cannot be read.
    """
    files = [path for part in PARTS for path in (folder / part).rglob("*") if path.is_file()]
    lines = []
    for name, path in sorted((path.relative_to(folder).as_posix(), path) for path in files):
        lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def make_label_map(names: Sequence[str]) -> dict[str, int]:
    """Number the classes from 1, in their order; "background" is 0."""
    return dict(zip(("background", *names), range(len(names) + 1), strict=True))


def read_split(folder: Path, split: str) -> list[str]:
    """Return the stems of a split's images, in the order of its list.

    Raises:
        AnnotationError: there is no such list, or it names what cannot be an image.
    """
    listed = folder / "ImageSets" / "Main" / f"{split}.txt"
    if not listed.is_file():
        known = ", ".join(sorted(path.stem for path in listed.parent.glob("*.txt"))) or "none"
        raise AnnotationError(f"{listed} is missing; lists that are there: {known}")
    try:
        lines = read_small(listed).decode("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise AnnotationError(f"{listed} cannot be read: {error}") from None
    stems = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            stems.append(line.split()[0])
            if stems[-1].startswith(".") or "/" in stems[-1] or "\\" in stems[-1]:
                raise AnnotationError(
                    f"{listed}, line {number}: {stems[-1][:40]!r} does not name an image of the set"
                )
    return stems


def read_small(path: Path) -> bytes:
    """Read a file of a size that annotations and lists have.

    Raises:
        OSError: it cannot be read.
        ValueError: it is too large.
    """
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES} bytes")
    return content


def read_set(sources: Iterable[tuple[Path, str]], names: Sequence[str]) -> ImageSet:
    """Read the images and objects of splits.

    Args:
        sources: folders, each with the name of a split: VOC is trained on two of them.
        names: the classes.

    Raises:
        AnnotationError: something in it is not sound.

    Warns:
        UserWarning: a box has but one row or column of pixels.
    """
    label_map = make_label_map(names)
    paths, objects = [], []
    for folder, split in sources:
        for stem in read_split(folder, split):
            paths.append((folder / "JPEGImages" / f"{stem}.jpg").resolve())
            annotation = folder / "Annotations" / f"{stem}.xml"
            objects.append(read_annotation(annotation, size_of(paths[-1]), label_map))
    if not paths:
        raise AnnotationError("the lists name no image at all")
    return ImageSet(paths, objects, label_map)


def size_of(path: Path) -> tuple[int, int]:
    """Return an image's width and height, pixels.

    Raises:
        AnnotationError: it is missing, no image, or has more pixels than an image may have.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return image.size
    except FileNotFoundError:
        raise AnnotationError(f"{path} is missing, though a list names it") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise AnnotationError(f"{path} is too large to be opened: {error}") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise AnnotationError(f"{path} is not an image: {error}") from None


def read_annotation(
    path: Path, size: tuple[int, int], label_map: Mapping[str, int]
) -> dict[str, Tensor]:
    """Read an image's objects.

    Args:
        path: the XML file.
        size: the image's width and height, pixels.
        label_map: the number of each name.

    Returns:
        "boxes" (n, 4) float32, `xyxy`, edges in pixels from 0; "labels" (n,) int64; "difficult"
        (n,) bool.

    Raises:
        AnnotationError: the file is missing or broken, a name is unknown, a box is incomplete,
            reversed or partly outside the image, or `difficult` is neither 0 nor 1.

    Warns:
        UserWarning: a box has but one row or column of pixels.
    """
    boxes, numbers, flags = [], [], []
    for number, element in enumerate(parse(path).findall("object"), 1):
        name = element.findtext("name", "").strip()
        place = f"{path}, object {number} ({name[:40] or 'without a name'})"
        if name not in label_map or label_map[name] == 0:
            known = ", ".join(name for name, label in label_map.items() if label)
            raise AnnotationError(f"{place}: there is no such class; known: {known}")
        edges = read_box(element, size, place)
        if float((edges[2:] - edges[:2]).min()) <= 1:
            # It has an area, but is more often a click than an object.
            warnings.warn(f"{place}: the box is no more than a pixel wide or high", stacklevel=2)
        boxes.append(edges)
        numbers.append(label_map[name])
        flags.append(read_flag(element, place))
    return {
        "boxes": torch.stack(boxes) if boxes else torch.zeros(0, 4),
        "labels": torch.tensor(numbers, dtype=torch.int64),
        "difficult": torch.tensor(flags, dtype=torch.bool),
    }


def parse(path: Path) -> ElementTree.Element:
    """Parse an annotation and return its root.

    One that declares anything is refused unread: a few entities that contain each other swell to
    gigabytes.
    """
    try:
        content = read_small(path)
        if b"<!DOCTYPE" in content.replace(b"\0", b""):  # UTF-16 has a NUL in each letter
            raise ValueError("it declares a document type, which no annotation needs")
        root = ElementTree.fromstring(content)
    except FileNotFoundError:
        raise AnnotationError(f"{path} is missing, though a list names it") from None
    except (ElementTree.ParseError, OSError, ValueError, LookupError) as error:
        raise AnnotationError(f"{path} is not sound XML: {error}") from None
    if root.tag != "annotation":
        raise AnnotationError(f"{path} is no annotation: its root is <{root.tag[:40]}>")
    return root


def read_box(element: ElementTree.Element, size: tuple[int, int], place: str) -> Tensor:
    """Read an object's box and check it against the image's size.

    VOC names the first and the last pixel, both inside and counted from 1. Counted from 0, the
    left edge of pixel n is n - 1, and its right edge n.

    Returns:
        (4,) float32, `xyxy`, edges in pixels from 0.
    """
    corners = []
    for key in CORNERS:
        text = element.findtext(f"bndbox/{key}")
        if text is None:
            raise AnnotationError(f"{place}: it has no {key}")
        try:
            corners.append(float(text))
        except ValueError:
            raise AnnotationError(f"{place}: {key} is {text[:40]!r}, not a number") from None
    if not all(map(math.isfinite, corners)):
        raise AnnotationError(f"{place}: the box {corners} is not finite")
    x_min, y_min, x_max, y_max = corners
    if x_max < x_min or y_max < y_min:
        raise AnnotationError(
            f"{place}: the corners of the box {corners} are reversed; is it (x, y, w, h)?"
        )
    if x_min < 1 or y_min < 1 or x_max > size[0] or y_max > size[1]:
        raise AnnotationError(
            f"{place}: the box {corners} sticks out of the image, {size[0]}×{size[1]} pixels "
            "counted from 1"
        )
    return torch.tensor([x_min - 1, y_min - 1, x_max, y_max], dtype=torch.float32)


def read_flag(element: ElementTree.Element, place: str) -> bool:
    """Read whether an object is difficult; without a word on it, it is not."""
    text = (element.findtext("difficult") or "").strip() or "0"
    if text not in ("0", "1"):
        raise AnnotationError(f"{place}: difficult is {text[:40]!r}, not 0 or 1")
    return text == "1"


def write_lists(images: ImageSet, out: Path, split: str) -> list[Path]:
    """Write a set as JSON: `SPLIT_images.json`, `SPLIT_objects.json` and `label_map.json`.

    Returns:
        The files written.

    Raises:
        OSError: one cannot be written.
    """
    rows = [{key: value.tolist() for key, value in one.items()} for one in images.objects]
    contents: dict[str, Any] = {
        f"{split}_images": [str(path) for path in images.paths],
        f"{split}_objects": rows,
        "label_map": images.label_map,
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        part = out / f".{name}.part"  # a list is there whole or not at all
        try:
            part.write_text(json.dumps(content) + "\n", "utf-8")
            part.replace(out / f"{name}.json")
        finally:
            part.unlink(missing_ok=True)
    return [out / f"{name}.json" for name in contents]
