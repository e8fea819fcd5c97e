"""task: 4.2
does: changes the colours after everything else
hint: The canvas has not always the mean's colour in your images. Which step comes first?
"""


def transform(
    image: Tensor, target: Mapping[str, Tensor], generator: torch.Generator | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    target = dict(target)
    if generator is not None:
        if uniform(0, 1, generator) < 0.5:
            image, target["boxes"] = zoom_out(image, target["boxes"], generator)
        image, target = random_crop(image, target, generator)
        if uniform(0, 1, generator) < 0.5:
            image, target["boxes"] = flip(image, target["boxes"])
        image = distort(image, generator)
    height, width = image.shape[1:]
    target["boxes"] = target["boxes"] / torch.tensor([width, height, width, height])
    image = TF.resize(image, [SIDE, SIDE], antialias=True)
    return TF.normalize(image, IMAGENET_MEAN, IMAGENET_STD), target
