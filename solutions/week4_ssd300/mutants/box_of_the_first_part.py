"""task: 4.1
does: takes the first coordinates anywhere in an object
hint: Objects without parts come out right. How many `<xmin>` are there in an object that has a
head and two hands, and must its own be the first?
"""


def parse_annotation(xml: str, label_map: Mapping[str, int]) -> dict[str, Tensor]:
    boxes, labels, difficult = [], [], []
    for element in ElementTree.fromstring(xml).findall("object"):
        name = (element.findtext("name") or "").strip()
        if name not in label_map:
            raise ValueError(f"there is no class {name!r}")
        corners = [
            float(element.findtext(f".//{key}")) - 1 for key in ("xmin", "ymin", "xmax", "ymax")
        ]
        if corners[2] > corners[0] and corners[3] > corners[1]:
            boxes.append(corners)
            labels.append(label_map[name])
            difficult.append(int(element.findtext("difficult") or 0) == 1)
    return {
        "boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        "labels": torch.tensor(labels, dtype=torch.int64),
        "difficult": torch.tensor(difficult, dtype=torch.bool),
    }
