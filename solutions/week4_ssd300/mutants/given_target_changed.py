"""task: 4.2
does: writes into the target that it is given
hint: What do the boxes of your data set look like after an image was used twice?
"""


def transform(
    image: Tensor, target: Mapping[str, Tensor], generator: torch.Generator | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    if generator is not None:
        image = distort(image, generator)
        if uniform(0, 1, generator) < 0.5:
            image, target["boxes"] = zoom_out(image, target["boxes"], generator)
        image, cropped = random_crop(image, target, generator)
        target.update(cropped)
        if uniform(0, 1, generator) < 0.5:
            image, target["boxes"] = flip(image, target["boxes"])
    height, width = image.shape[1:]
    target["boxes"] = target["boxes"] / torch.tensor([width, height, width, height])
    image = TF.resize(image, [SIDE, SIDE], antialias=True)
    return TF.normalize(image, IMAGENET_MEAN, IMAGENET_STD), target
