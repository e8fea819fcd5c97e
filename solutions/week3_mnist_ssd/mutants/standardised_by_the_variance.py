"""task: 3.2
does: divides by the variance
hint: What is the deviation of your result: is it 1?
"""


def standardize(image: Tensor) -> Tensor:
    centred = image - image.mean()
    deviation = centred.square().mean()
    return centred / deviation.clamp(min=1e-6)
