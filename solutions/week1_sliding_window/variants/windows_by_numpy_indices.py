"""task: 1.5
does: builds index arrays with numpy and reads all windows at once
"""

import numpy as np


def extract_windows(images: Tensor, size: int, stride: int) -> Tensor:
    height, width = images.shape[-2:]
    inside = np.arange(size)
    y = np.arange(0, height - size + 1, stride)[:, None] + inside
    x = np.arange(0, width - size + 1, stride)[:, None] + inside
    windows = images[
        :, :, torch.from_numpy(y)[:, None, :, None], torch.from_numpy(x)[None, :, None, :]
    ]
    return torch.movedim(windows, 1, 3)
