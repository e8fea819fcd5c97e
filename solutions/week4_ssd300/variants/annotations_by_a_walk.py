"""task: 4.1
does: walks over the children of the root and fills numpy arrays
"""

import numpy as np


def make_label_map(names):
    numbers = {"background": 0}
    for name in names:
        numbers[name] = len(numbers)
    return numbers


def parse_annotation(xml, label_map):
    boxes, labels, hard = np.zeros((0, 4), np.float32), [], []
    for child in ElementTree.XML(xml):
        if child.tag != "object":
            continue
        entries = {entry.tag: entry for entry in child}
        name = entries["name"].text.strip()
        try:
            label = label_map[name]
        except KeyError:
            raise ValueError(f"unknown class: {name}") from None
        corners = {
            side.tag: np.float32(side.text) - side.tag.endswith("min") for side in entries["bndbox"]
        }
        box = np.array([[corners[side] for side in ("xmin", "ymin", "xmax", "ymax")]], np.float32)
        if (box[:, 2:] - box[:, :2]).min() <= 0:
            continue
        boxes = np.concatenate([boxes, box])
        labels.append(label)
        hard.append("difficult" in entries and entries["difficult"].text.strip() == "1")
    return {
        "boxes": torch.from_numpy(boxes),
        "labels": torch.tensor(labels, dtype=torch.long),
        "difficult": torch.tensor(hard, dtype=torch.bool),
    }
