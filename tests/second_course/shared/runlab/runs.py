"""A string of bits, written as runs."""

from typing import NamedTuple


class Runs(NamedTuple):
    """The runs of a string of bits.

    Attributes:
        first: its first bit, "0" or "1"; "" for the empty string.
        lengths: of its runs in order, each at least 1.
    """

    first: str
    lengths: tuple[int, ...]
