"""task: 2.3
does: projects the ink on both axes by maxima and reads the first and the last index off a cumsum
"""


def digit_box(image: Tensor) -> Tensor:
    def span(profile: Tensor) -> tuple[float, float]:
        seen = (profile > 0).long()
        first = int((seen.cumsum(0) == 0).sum())
        last = len(profile) - int((seen.flip(0).cumsum(0) == 0).sum())
        return first / len(profile), last / len(profile)

    if not bool((image > 0).any()):
        return torch.zeros(4, dtype=torch.float32)
    ink = image[0]
    (left, right), (top, bottom) = span(ink.amax(0)), span(ink.amax(1))
    return torch.tensor([left, top, right, bottom], dtype=torch.float32)
