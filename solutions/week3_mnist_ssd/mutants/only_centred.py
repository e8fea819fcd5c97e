"""task: 3.2
does: takes the mean away and does not divide
hint: What is the deviation of your result?
"""


def standardize(image: Tensor) -> Tensor:
    centred = image - image.mean()
    centred.square().mean().sqrt()
    return centred
