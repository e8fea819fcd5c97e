"""task: 5.4
does: flattens a batch and lets torchvision convert
"""


def boxes_from(activations, anchors, cells):
    shape = activations.shape
    rows = activations.reshape(-1, len(anchors), 4).tanh()
    reach = torch.cat([cells[:, None].repeat(1, 2), anchors[:, 2:]], 1) / 2
    return ops.box_convert((anchors + rows * reach).reshape(-1, 4), "cxcywh", "xyxy").reshape(shape)
