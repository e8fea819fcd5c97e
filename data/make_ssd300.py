"""Make the raw answers of an SSD300 that week 4's pictures show. Staff run this once.

    uv run python data/make_ssd300.py

It lets the reference of task 4.10 learn a few of the course's scenes by heart, some minutes' work,
and writes what it then answers for them, before any suppression, into the file that
`detlab.suppression_plots` reads. It prints the checksum that this and `data/README.md` must hold.
Another version of torch may make other numbers.
"""

import hashlib

import numpy as np
import torch
from PIL import Image
from torchvision.transforms.functional import to_tensor

from detgrader.course import Course
from detgrader.reference import load_reference
from detlab.sets import voc
from detlab.suppression_plots import ANSWERS, LEAST, SCENES

WEEK = "week4_ssd300"
STEPS = 45
SEED = 4


def main() -> None:
    """Train, and write what the network answers for scenes moved a little."""
    reference = load_reference(Course.find(), WEEK)
    torch.manual_seed(SEED)
    label_map = reference.make_label_map(voc.DIGIT_CLASSES)
    ready = []
    for stem in SCENES:
        image = to_tensor(Image.open(voc.DIGITS / "JPEGImages" / f"{stem}.jpg").convert("RGB"))
        xml = (voc.DIGITS / "Annotations" / f"{stem}.xml").read_text("utf-8")
        ready.append(reference.transform(image, reference.parse_annotation(xml, label_map)))
    images = torch.stack([image for image, _ in ready])
    batch = images, [t["boxes"] for _, t in ready], [t["labels"] for _, t in ready]
    net = reference.learn_by_heart([batch] * STEPS, len(label_map)).eval()
    with torch.no_grad():
        offsets, logits = net(images)
    found = reference.detect(
        offsets, logits, reference.make_priors(), LEAST, 1.0, logits[0].numel()
    )
    arrays = {
        "counts": torch.tensor([len(one["labels"]) for one in found]).to(torch.int16),
        "boxes": torch.cat([one["boxes"] for one in found]).half(),
        "labels": torch.cat([one["labels"] for one in found]).to(torch.uint8),
        "scores": torch.cat([one["scores"] for one in found]).half(),
    }
    np.savez_compressed(ANSWERS, **{name: one.numpy() for name, one in arrays.items()})
    print(hashlib.sha256(ANSWERS.read_bytes()).hexdigest(), ANSWERS)


if __name__ == "__main__":
    main()
