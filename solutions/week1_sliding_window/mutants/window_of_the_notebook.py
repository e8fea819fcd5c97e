"""task: 1.5
does: slide always cuts windows of 14 pixels
hint: It works with classifiers for 14×14 and with no others. Which size do your windows have when
`size` is not 14?
"""


def slide(net: nn.Module, images: Tensor, size: int, stride: int) -> Tensor:
    windows = extract_windows(images, WINDOW, stride)
    scores = net(windows.flatten(0, 2)).unflatten(0, windows.shape[:3])
    return scores.permute(0, 3, 1, 2)
