"""task: 1.5
does: slide squeezes the scores, which also drops axes that happen to have length 1
hint: It fails when there is a single image, a single row or a single score. Which axes does
`squeeze()` remove when you do not name one?
"""


def slide(net: nn.Module, images: Tensor, size: int, stride: int) -> Tensor:
    windows = extract_windows(images, size, stride)
    scores = net(windows.flatten(0, 2)).unflatten(0, windows.shape[:3])
    return scores.permute(0, 3, 1, 2).squeeze()
