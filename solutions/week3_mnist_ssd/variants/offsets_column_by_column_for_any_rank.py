"""task: 3.6
does: takes the last axis apart, whatever comes before it
"""


def encode_offsets(boxes, priors):
    return torch.stack(
        [
            (boxes[..., 0] - priors[..., 0]) / priors[..., 2] / 0.1,
            (boxes[..., 1] - priors[..., 1]) / priors[..., 3] / 0.1,
            torch.log(boxes[..., 2] / priors[..., 2]) * 5.0,
            torch.log(boxes[..., 3] / priors[..., 3]) * 5.0,
        ],
        dim=-1,
    )


def decode_offsets(offsets, priors):
    g_x, g_y, g_w, g_h = offsets.unbind(dim=-1)
    x, y, w, h = priors.unbind(dim=-1)
    return torch.stack(
        [x + g_x * 0.1 * w, y + g_y * 0.1 * h, w * (g_w / 5).exp(), h * (g_h / 5).exp()], dim=-1
    )
