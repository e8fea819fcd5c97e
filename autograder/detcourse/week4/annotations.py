"""Random annotation files for the checks of task 4.1."""

from dataclasses import dataclass, field

import torch

NAMES = ("RBC", "bicycle", "cell (large)", "dog", "naïve", "Platelets", "person", "tvmonitor")
ORDER = ("xmin", "ymin", "xmax", "ymax")


@dataclass
class Thing:
    """An object of an annotation.

    Attributes:
        name: of its class.
        corners: x_min, y_min, x_max, y_max as written: the first and last pixel, from 1.
        difficult: 0 or 1; None leaves the element out.
        order: of the corners' elements.
        parts: names and corners of parts.
        parts_last: whether they stand behind the object's own box.
        blanks: around texts.
    """

    name: str
    corners: list[str]
    difficult: int | None = 0
    order: tuple[str, ...] = ORDER
    parts: list[tuple[str, list[str]]] = field(default_factory=list)
    parts_last: bool = False
    blanks: str = ""

    def box(self) -> list[float]:
        """Return the box's edges in pixels from 0: those of its first and of its last pixel."""
        left, top, right, bottom = map(float, self.corners)
        return [left - 1, top - 1, right, bottom]


def written(things: list[Thing], size: tuple[int, int] = (640, 480)) -> str:
    """Write an annotation file."""
    objects = "".join(map(element, things))
    return (
        "<annotation><folder>JPEGImages</folder><filename>1.jpg</filename><source>"
        f"<name>unknown</name></source><size><width>{size[0]}</width><height>{size[1]}</height>"
        f"<depth>3</depth></size><segmented>0</segmented>{objects}</annotation>"
    )


def element(thing: Thing) -> str:
    """Write one object."""
    parts = "".join(
        f"<part><name>{name}</name>{bndbox(corners, ORDER, '')}</part>"
        for name, corners in thing.parts
    )
    flag = "" if thing.difficult is None else f"<difficult>{thing.difficult}</difficult>"
    space = thing.blanks
    box = bndbox(thing.corners, thing.order, space)
    box = box + parts if thing.parts_last else parts + box
    return (
        f"<object><name>{space}{thing.name}{space}</name><pose>Left</pose>"
        f"<truncated>1</truncated>{flag}{box}</object>"
    )


def bndbox(corners: list[str], order: tuple[str, ...], space: str) -> str:
    """Write a box."""
    values = dict(zip(ORDER, corners, strict=True))
    inner = "".join(f"<{key}>{space}{values[key]}{space}</{key}>" for key in order)
    return f"<bndbox>{inner}</bndbox>"


def random_thing(rng: torch.Generator, names: tuple[str, ...], **options: object) -> Thing:
    """Return an object with a box of at least 4 pixels a side."""
    x, y, w, h = torch.randint(3, 200, (4,), generator=rng).tolist()
    name = names[int(torch.randint(len(names), (), generator=rng))]
    difficult = int(torch.randint(2, (), generator=rng))
    corners = [str(corner) for corner in (x, y, x + w, y + h)]
    return Thing(name, corners, **{"difficult": difficult, **options})


def target_of(things: list[Thing], label_map: dict[str, int]) -> dict[str, torch.Tensor]:
    """Return the right answer."""
    return {
        "boxes": torch.tensor([thing.box() for thing in things]).reshape(-1, 4),
        "labels": torch.tensor([label_map[t.name] for t in things], dtype=torch.int64),
        "difficult": torch.tensor([t.difficult == 1 for t in things], dtype=torch.bool),
    }
