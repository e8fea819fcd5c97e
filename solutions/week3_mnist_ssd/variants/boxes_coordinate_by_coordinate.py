"""task: 3.3
does: unbinds the four numbers, and loops over the boxes of the first set
"""


def cxcywh_to_xyxy(boxes):
    c_x, c_y, w, h = boxes.unbind(-1)
    return torch.stack((c_x - 0.5 * w, c_y - 0.5 * h, c_x + 0.5 * w, c_y + 0.5 * h), dim=-1)


def xyxy_to_cxcywh(boxes):
    x1, y1, x2, y2 = boxes.split(1, dim=-1)
    return torch.cat((0.5 * (x1 + x2), 0.5 * (y1 + y2), x2 - x1, y2 - y1), dim=-1)


def box_iou(boxes_a, boxes_b):
    if len(boxes_a) == 0 or len(boxes_b) == 0:
        return torch.zeros(len(boxes_a), len(boxes_b))
    rows = []
    area_b = (boxes_b[:, 2] - boxes_b[:, 0]) * (boxes_b[:, 3] - boxes_b[:, 1])
    for x1, y1, x2, y2 in boxes_a:
        width = (torch.min(x2, boxes_b[:, 2]) - torch.max(x1, boxes_b[:, 0])).relu()
        height = (torch.min(y2, boxes_b[:, 3]) - torch.max(y1, boxes_b[:, 1])).relu()
        shared = width * height
        rows.append(torch.nan_to_num(shared / ((x2 - x1) * (y2 - y1) + area_b - shared)))
    return torch.stack(rows)
