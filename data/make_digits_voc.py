"""Make the students' set of week 4 from the course's digits. Staff run this once.

    uv run python data/make_digits_voc.py

It writes the folder that `detlab.sets.voc` calls "digits". Another version of torch or of Pillow
may make other pixels.
"""

import shutil

from detcourse.color_scenes import write_set
from detlab.digits import load_digits
from detlab.sets.voc import DIGITS

COUNTS = {"train": 40, "test": 20}
SEED = 5


def main() -> None:
    """Write the set afresh."""
    shutil.rmtree(DIGITS, ignore_errors=True)
    write_set(DIGITS, *load_digits("train"), COUNTS, SEED)
    print(f"{sum(COUNTS.values())} scenes in {DIGITS}")


if __name__ == "__main__":
    main()
