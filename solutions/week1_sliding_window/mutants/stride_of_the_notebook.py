"""task: 1.5
does: uses the constant STRIDE in place of its parameter; right for stride 2 only
hint: With stride 2 all is well, with any other stride you return the same windows as before. Does
your function use the stride that it is given?
"""


def extract_windows(images: Tensor, size: int, stride: int) -> Tensor:
    windows = images.unfold(2, size, STRIDE).unfold(3, size, STRIDE)
    return windows.permute(0, 2, 3, 1, 4, 5)
