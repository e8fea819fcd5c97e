"""task: 1.5
does: places the windows side by side, size pixels apart
hint: Neighbouring windows should overlap when the stride is smaller than the size, and yours never
do. How many pixels lie between your corners?
"""


def extract_windows(images: Tensor, size: int, stride: int) -> Tensor:
    height, width = images.shape[2:]
    rows = (height - size) // stride + 1
    columns = (width - size) // stride + 1
    cropped = images[:, :, : height // size * size, : width // size * size]
    tiles = cropped.unfold(2, size, size).unfold(3, size, size)
    return tiles[:, :, :rows, :columns].permute(0, 2, 3, 1, 4, 5)
