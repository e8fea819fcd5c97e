"""task: 4.2
does: keeps the shape of the image and cuts its middle out
hint: Square images come out right. What does `resize` do when it is told one number only, and do
your boxes know of it?
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
    image = TF.center_crop(TF.resize(image, [SIDE], antialias=True), [SIDE, SIDE])
    return TF.normalize(image, IMAGENET_MEAN, IMAGENET_STD), target
