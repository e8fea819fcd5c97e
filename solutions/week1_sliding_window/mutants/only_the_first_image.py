"""task: 1.5
does: slide answers for the first image of the batch only
hint: Your answer has one image however many come in. Where does `slide` lose the rest of the
batch?
"""


def slide(net: nn.Module, images: Tensor, size: int, stride: int) -> Tensor:
    windows = extract_windows(images, size, stride)[0]
    rows, columns = windows.shape[:2]
    scores = [[net(windows[i, j][None])[0] for j in range(columns)] for i in range(rows)]
    scores = torch.stack([torch.stack(row) for row in scores])
    return scores.permute(2, 0, 1)[None]
