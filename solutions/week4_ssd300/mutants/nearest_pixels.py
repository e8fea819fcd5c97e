"""task: 4.2
does: takes the nearest pixel when it resizes
hint: Look at an edge in an image that you made larger: are there colours between its two sides?
"""


def transform(
    image: Tensor, target: Mapping[str, Tensor], generator: torch.Generator | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    target = dict(target)
    if generator is not None:
        image = distort(image, generator)
        if uniform(0, 1, generator) < 0.5:
            image, target["boxes"] = zoom_out(image, target["boxes"], generator)
        image, target = random_crop(image, target, generator)
        if uniform(0, 1, generator) < 0.5:
            image, target["boxes"] = flip(image, target["boxes"])
    height, width = image.shape[1:]
    target["boxes"] = target["boxes"] / torch.tensor([width, height, width, height])
    image = F.interpolate(image[None], (SIDE, SIDE))[0]
    return TF.normalize(image, IMAGENET_MEAN, IMAGENET_STD), target
