"""task: 4.2
does: divides by the sides that the image had before it was changed
hint: In evaluation your boxes are right, in training they are too large or too small. Of which
image are they fractions?
"""


def transform(
    image: Tensor, target: Mapping[str, Tensor], generator: torch.Generator | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    target = dict(target)
    height, width = image.shape[1:]
    if generator is not None:
        image = distort(image, generator)
        if uniform(0, 1, generator) < 0.5:
            image, target["boxes"] = zoom_out(image, target["boxes"], generator)
        image, target = random_crop(image, target, generator)
        if uniform(0, 1, generator) < 0.5:
            image, target["boxes"] = flip(image, target["boxes"])
    target["boxes"] = target["boxes"] / torch.tensor([width, height, width, height])
    image = TF.resize(image, [SIDE, SIDE], antialias=True)
    return TF.normalize(image, IMAGENET_MEAN, IMAGENET_STD), target
