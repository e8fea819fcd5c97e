"""task: 4.2
does: normalises before it changes the colours
hint: Evaluation is right. Which range of colours do `distort` and `zoom_out` expect?
"""


def transform(
    image: Tensor, target: Mapping[str, Tensor], generator: torch.Generator | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    target = dict(target)
    image = TF.normalize(image, IMAGENET_MEAN, IMAGENET_STD)
    if generator is not None:
        image = distort(image, generator)
        if uniform(0, 1, generator) < 0.5:
            image, target["boxes"] = zoom_out(image, target["boxes"], generator)
        image, target = random_crop(image, target, generator)
        if uniform(0, 1, generator) < 0.5:
            image, target["boxes"] = flip(image, target["boxes"])
    height, width = image.shape[1:]
    target["boxes"] = target["boxes"] / torch.tensor([width, height, width, height])
    image = TF.resize(image, [SIDE, SIDE], antialias=True)
    return image, target
