"""task: 4.2
does: draws from a numpy generator that is seeded by the given one
"""

import numpy as np


def numpy_chance(generator):
    return np.random.default_rng(torch.randint(2**62, (2,), generator=generator).numpy())


def zoom_out(image, boxes, generator):
    chance = numpy_chance(generator)
    _, h, w = image.shape
    scale = chance.uniform(1, 4)
    tall, wide = int(np.floor(h * scale)), int(np.floor(w * scale))
    y, x = chance.integers(0, tall - h, endpoint=True), chance.integers(0, wide - w, endpoint=True)
    padded = F.pad(image, (x, wide - w - x, y, tall - h - y), value=-1.0)
    mean = image.new_tensor(IMAGENET_MEAN).view(3, 1, 1).expand_as(padded)
    return torch.where(padded == -1, mean, padded), boxes + boxes.new_tensor([x, y, x, y])


def flip(image, boxes):
    moved = boxes.clone()
    moved[:, [0, 2]] = image.shape[-1] - boxes[:, [2, 0]]
    return torch.flip(image, [-1]), moved


def transform(image, target, generator=None):
    boxes, others = target["boxes"], {k: v for k, v in target.items() if k != "boxes"}
    if generator is not None:
        chance = numpy_chance(generator)
        image = distort(image, generator)
        if chance.random() > 0.5:
            image, boxes = zoom_out(image, boxes, generator)
        image, cropped = random_crop(image, {"boxes": boxes, **others}, generator)
        boxes = cropped.pop("boxes")
        others = cropped
        if chance.random() > 0.5:
            image, boxes = flip(image, boxes)
    boxes = boxes / boxes.new_tensor([image.shape[2], image.shape[1]] * 2)
    mean, std = (torch.tensor(one).view(3, 1, 1) for one in (IMAGENET_MEAN, IMAGENET_STD))
    image = (image - mean) / std
    image = F.interpolate(image[None], size=(300, 300), mode="bilinear", align_corners=False)[0]
    return image, {**others, "boxes": boxes}
