"""task: 2.3
does: numpy's where on the pixels, sorted, in double precision until the end
"""

import numpy as np


def digit_box(image: Tensor) -> Tensor:
    pixels = image.squeeze(0).detach().numpy()
    ys, xs = np.where(pixels > 0)
    if xs.size == 0:
        return torch.zeros(4)
    box = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], dtype=np.float64)
    box[0::2] /= pixels.shape[1]
    box[1::2] /= pixels.shape[0]
    return torch.from_numpy(box).float()
