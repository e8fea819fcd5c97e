"""task: 4.2
does: never asks for an overlap of 0.9
hint: Your crops seldom fit an object closely. Are all the least overlaps of the list there?
"""


def random_crop(
    image: Tensor, target: Mapping[str, Tensor], generator: torch.Generator
) -> tuple[Tensor, dict[str, Tensor]]:
    height, width = image.shape[1:]
    boxes = target["boxes"]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    while len(boxes):
        least = (0.0, 0.1, 0.3, 0.5, 0.7, None)[whole(5, generator)]
        if least is None:
            break
        for _ in range(50):
            tall = int(uniform(0.3, 1, generator) * height)
            wide = int(uniform(0.3, 1, generator) * width)
            if not 0.5 < tall / wide < 2:
                continue
            top, left = whole(height - tall, generator), whole(width - wide, generator)
            crop = torch.tensor([left, top, left + wide, top + tall], dtype=torch.float32)
            if ops.box_iou(crop[None], boxes).max() < least:
                continue
            inside = ((centres > crop[:2]) & (centres < crop[2:])).all(1)
            if not inside.any():
                continue
            kept = {name: values[inside] for name, values in target.items()}
            kept["boxes"] = ops.clip_boxes_to_image(
                kept["boxes"] - crop[[0, 1, 0, 1]], (tall, wide)
            )
            return image[:, top : top + tall, left : left + wide], kept
    return image, dict(target)
