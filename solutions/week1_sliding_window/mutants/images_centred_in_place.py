"""task: 1.5
does: slide subtracts the mean of the images first, and does so in the caller's tensor
hint: The classifier should see the windows as they are, and the caller's images should stay as
they were. Which line of `slide` changes pixels?
"""


def slide(net: nn.Module, images: Tensor, size: int, stride: int) -> Tensor:
    images -= images.mean()
    windows = extract_windows(images, size, stride)
    scores = net(windows.flatten(0, 2)).unflatten(0, windows.shape[:3])
    return scores.permute(0, 3, 1, 2)
