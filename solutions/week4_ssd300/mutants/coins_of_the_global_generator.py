"""task: 4.2
does: tosses its coins without the generator
hint: Equal generators should give equal images. Which of your draws does not know of the
generator?
"""


def transform(
    image: Tensor, target: Mapping[str, Tensor], generator: torch.Generator | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    target = dict(target)
    if generator is not None:
        image = distort(image, generator)
        if torch.rand(()) < 0.5:
            image, target["boxes"] = zoom_out(image, target["boxes"], generator)
        image, target = random_crop(image, target, generator)
        if torch.rand(()) < 0.5:
            image, target["boxes"] = flip(image, target["boxes"])
    height, width = image.shape[1:]
    target["boxes"] = target["boxes"] / torch.tensor([width, height, width, height])
    image = TF.resize(image, [SIDE, SIDE], antialias=True)
    return TF.normalize(image, IMAGENET_MEAN, IMAGENET_STD), target
