"""task: 5.4
does: writes tanh(t)/2 as sigmoid(2t) − ½
"""


def boxes_from(activations, anchors, cells):
    moved = torch.sigmoid(2 * activations) - 0.5
    c = anchors[..., :2] + moved[..., :2] * cells.unsqueeze(-1)
    s = anchors[..., 2:] + moved[..., 2:] * anchors[..., 2:]
    return torch.cat((c - s / 2, c + s / 2), dim=-1)
