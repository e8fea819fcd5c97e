"""task: 4.1
does: iterates over the root's children and reads the box with find and a dict; a map by update
"""


def make_label_map(names):
    label_map = dict(zip(names, range(1, len(names) + 1), strict=True))
    label_map.update(background=0)
    return label_map


def parse_annotation(xml, label_map):
    boxes, labels, difficult = [], [], []
    root = ElementTree.XML(xml)
    for child in root:
        if child.tag != "object":
            continue
        name = child.find("name").text.strip()
        try:
            label = label_map[name]
        except KeyError:
            raise ValueError(f"unknown class: {name}") from None
        sides = {side.tag: float(side.text) for side in child.find("bndbox")}
        box = torch.tensor([sides[key] for key in ("xmin", "ymin", "xmax", "ymax")])
        box[:2] -= 1.0
        if bool((box[:2] >= box[2:]).any()):
            continue
        flag = child.find("difficult")
        boxes.append(box)
        labels.append(label)
        difficult.append(flag is not None and flag.text.strip() == "1")
    count = len(boxes)
    return {
        "boxes": torch.stack(boxes) if count else torch.empty(0, 4),
        "labels": torch.LongTensor(labels),
        "difficult": torch.BoolTensor(difficult),
    }
