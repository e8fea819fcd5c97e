"""task: 1.5
does: unfolds a map of pixel numbers with torch.nn.functional.unfold and looks the pixels up
"""

from torch.nn import functional


def extract_windows(images: Tensor, size: int, stride: int) -> Tensor:
    n, c, height, width = images.shape
    numbers = torch.arange(height * width, dtype=torch.float64).view(1, 1, height, width)
    blocks = functional.unfold(numbers, size, stride=stride)[0].long()
    pixels = images.flatten(2)[:, :, blocks]
    rows = 1 + (height - size) // stride
    pixels = pixels.reshape(n, c, size, size, rows, -1)
    return pixels.permute(0, 4, 5, 1, 2, 3).contiguous()
