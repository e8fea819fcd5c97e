"""task: 4.2
does: subtracts the mean and does not divide
hint: Your colours are centred, but their spread is a quarter of what it should be. Which of the
two constants have you used?
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
    image = TF.resize(image, [SIDE, SIDE], antialias=True)
    return image - torch.tensor(IMAGENET_MEAN)[:, None, None], target
