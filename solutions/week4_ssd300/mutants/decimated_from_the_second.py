"""task: 4.3
does: keeps every m-th value, but not from the first
hint: You keep as many values as you should, but others. Which is the first of them?
"""


def decimate(values: Tensor, steps: Sequence[int | None]) -> Tensor:
    return values[tuple(slice((step or 1) - 1, None, step) for step in steps)]
