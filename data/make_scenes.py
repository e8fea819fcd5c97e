"""Make the students' scenes of week 3 from the course's digits. Staff run this once.

    uv run python data/make_scenes.py

It writes the file that `detlab.scenes` reads, and prints the checksum that `detlab.scenes` and
`data/README.md` must hold. Another version of torch may resize a pixel to the next grey.
"""

import hashlib

import numpy as np
import torch

from detcourse.scenes import SIDE, make_scenes
from detlab.digits import load_digits
from detlab.scenes import SCENES

COUNTS = {"train": 4000, "validation": 500}
SEEDS = {"train": 3, "validation": 4}


def main() -> None:
    """Write both parts into one file."""
    arrays = {}
    for part, count in COUNTS.items():
        images, boxes, labels = make_scenes(*load_digits(part), count, SEEDS[part])
        arrays[f"{part}_images"] = images.squeeze(1).numpy()
        arrays[f"{part}_counts"] = np.array([len(one) for one in boxes], np.uint8)
        arrays[f"{part}_boxes"] = (torch.cat(boxes) * SIDE).to(torch.uint8).numpy()
        arrays[f"{part}_labels"] = torch.cat(labels).to(torch.uint8).numpy()
    np.savez_compressed(SCENES, **arrays)
    print(hashlib.sha256(SCENES.read_bytes()).hexdigest(), SCENES)


if __name__ == "__main__":
    main()
