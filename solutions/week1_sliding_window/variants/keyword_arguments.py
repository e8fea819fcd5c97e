"""task: 1.5
does: passes and takes arguments by keyword, some of them keyword-only or with a default
"""


def extract_windows(images: Tensor, *, size: int = WINDOW, stride: int = STRIDE) -> Tensor:
    columns_of_windows = images.unfold(dimension=3, size=size, step=stride)
    return columns_of_windows.unfold(dimension=2, size=size, step=stride).permute(
        dims=(0, 2, 3, 1, 5, 4)
    )


def slide(
    net: nn.Module, images: Tensor, size: int = WINDOW, stride: int = STRIDE, **options
) -> Tensor:
    windows = extract_windows(images, stride=stride, size=size)
    scores = net(windows.flatten(start_dim=0, end_dim=2))
    return scores.unflatten(dim=0, sizes=windows.shape[:3]).permute(dims=(0, 3, 1, 2))
