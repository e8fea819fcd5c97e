"""Small sets in Pascal VOC's format, for tests."""

from pathlib import Path

from PIL import Image

from detlab.sets import voc

SIZE = (40, 30)
NAMES = ("RBC", "WBC")
MAP = {"background": 0, "RBC": 1, "WBC": 2}
BOX = (2, 3, 20, 15)


def thing(
    box: tuple = BOX, name: str = "RBC", more: str = "<difficult>0</difficult>", keys=voc.CORNERS
) -> str:
    """Write an object as XML; a corner that is None is left out."""
    corners = {k: c for k, c in zip(voc.CORNERS, box, strict=True) if c is not None}
    inside = "".join(f"<{key}>{corners[key]}</{key}>" for key in keys if key in corners)
    return f"<object>{more}<name>{name}</name><bndbox>{inside}</bndbox></object>"


def annotated(*objects: str) -> str:
    return f"<annotation><filename>a.jpg</filename>{''.join(objects)}</annotation>"


def write_set(folder: Path, splits: dict[str, list[str]], name: str = "RBC") -> Path:
    """Write a set of a grey image for each stem, with one object on it."""
    for part in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / part).mkdir(parents=True)
    for stem in {stem for stems in splits.values() for stem in stems}:
        Image.new("RGB", SIZE, "grey").save(folder / "JPEGImages" / f"{stem}.jpg")
        (folder / "Annotations" / f"{stem}.xml").write_text(annotated(thing(name=name)))
    for split, stems in splits.items():
        listed = "".join(f"{stem}\n" for stem in stems)
        (folder / "ImageSets/Main" / f"{split}.txt").write_text(listed)
    return folder
