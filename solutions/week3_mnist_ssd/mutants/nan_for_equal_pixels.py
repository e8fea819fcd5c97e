"""task: 3.2
does: divides by a deviation of zero
hint: What is the deviation of an image whose pixels are all equal?
"""


def standardize(image: Tensor) -> Tensor:
    centred = image - image.mean()
    deviation = centred.square().mean().sqrt()
    return centred / deviation
