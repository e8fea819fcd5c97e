"""task: 4.2
does: changes images without a generator, too
hint: Ask twice for the same image without a generator: are your answers equal? What does
evaluation leave out?
"""


def transform(
    image: Tensor, target: Mapping[str, Tensor], generator: torch.Generator | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    target = dict(target)
    if generator is None:
        generator = torch.default_generator
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
    return TF.normalize(image, IMAGENET_MEAN, IMAGENET_STD), target
