"""task: 3.2
does: scales an image to [0, 1]
hint: Minimum and maximum, or mean and deviation?
"""


def standardize(image: Tensor) -> Tensor:
    low, high = image.min(), image.max()
    return (image - low) / (high - low).clamp(min=1e-6)
