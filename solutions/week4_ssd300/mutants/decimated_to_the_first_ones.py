"""task: 4.3
does: keeps the first values instead of every m-th
hint: The shape is right. Are the values that you keep spread over the dimension, or do they all
lie at its beginning?
"""


def decimate(values: Tensor, steps: Sequence[int | None]) -> Tensor:
    return values[
        tuple(
            slice(None, -(-size // (step or 1)))
            for size, step in zip(values.shape, steps, strict=True)
        )
    ]
