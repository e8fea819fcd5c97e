"""Train week 5's reference with either loss, as task 5.7 does, and say what came out.

    uv run python benchmarks/focal.py --seeds 3

Bands of task 5.7 rest on these figures; `docs/results.md` has them. Run it on a machine that does
nothing else: processor seconds of a busy one are too many.
"""

import argparse
import time

import torch

from detcourse.scene_sets import BATCH_SIZE, HIDDEN_SCENES, scenes_of
from detcourse.trainings import Turn
from detcourse.week5.training import EPOCHS, LOSSES, TRAIN_SCENES, precision
from detgrader.course import Course
from detgrader.reference import load_reference
from detlab.weeks.loaders import BudgetedLoader

WEEK = "week5_focal_loss"


def main() -> None:
    """Train once for each seed and loss, and print a line for each."""
    parser = argparse.ArgumentParser(description="Train week 5's reference with either loss.")
    parser.add_argument("--seeds", type=int, default=1)
    seeds = parser.parse_args().seeds
    torch.set_num_threads(1)  # as in the grader
    reference = load_reference(Course.find(), WEEK)
    for seed in range(seeds):
        images, boxes, classes = scenes_of("train", TRAIN_SCENES, 2 * seed + 1, Turn())
        hidden, *true = scenes_of("hidden", HIDDEN_SCENES, 2 * seed + 2, Turn())
        for loss in LOSSES:
            loader = BudgetedLoader(batch_size=BATCH_SIZE, max_steps=10**6, cpu_s=1e6, seed=seed)
            loader.add(images, boxes, classes)
            torch.manual_seed(seed)
            start = time.process_time()
            net = reference.train_detector(loader, EPOCHS, loss).eval()
            seconds = time.process_time() - start
            with torch.no_grad():
                mean = precision(*net(hidden), *true, loss, reference.make_anchors())
            print(f"seed {seed}, {loss}: mAP {mean:.3f}, {seconds:.0f} processor seconds")


if __name__ == "__main__":
    main()
