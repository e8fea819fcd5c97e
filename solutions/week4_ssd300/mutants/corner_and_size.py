"""task: 4.1
does: returns the corner and the size of a box
hint: Your first two numbers are right. What do the last two of an `xyxy` box say: where it ends,
or how large it is?
"""


def parse_annotation(xml: str, label_map: Mapping[str, int]) -> dict[str, Tensor]:
    boxes, labels, difficult = [], [], []
    for element in ElementTree.fromstring(xml).findall("object"):
        name = (element.findtext("name") or "").strip()
        if name not in label_map:
            raise ValueError(f"there is no class {name!r}")
        corners = [
            float(element.findtext(f"bndbox/{key}")) - 1 for key in ("xmin", "ymin", "xmax", "ymax")
        ]
        if corners[2] > corners[0] and corners[3] > corners[1]:
            left, top, right, bottom = corners
            boxes.append([left, top, right - left, bottom - top])
            labels.append(label_map[name])
            difficult.append(int(element.findtext("difficult") or 0) == 1)
    return {
        "boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        "labels": torch.tensor(labels, dtype=torch.int64),
        "difficult": torch.tensor(difficult, dtype=torch.bool),
    }
