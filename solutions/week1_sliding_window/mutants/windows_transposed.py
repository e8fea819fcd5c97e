"""task: 1.5
does: each window has its own rows and columns exchanged
hint: Every window is in its place, but its content looks mirrored along the diagonal. Which axis
does each `unfold` add, and where does your `permute` put it?
"""


def extract_windows(images: Tensor, size: int, stride: int) -> Tensor:
    windows = images.unfold(3, size, stride).unfold(2, size, stride)
    return windows.permute(0, 2, 3, 1, 4, 5)
