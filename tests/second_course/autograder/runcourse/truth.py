"""Right answers of week 1, and random cases."""

from itertools import groupby

import torch

from runlab.runs import Runs


def encode(bits: str) -> Runs:
    """Return the runs of a string of bits."""
    return Runs(bits[:1], tuple(len(list(run)) for _, run in groupby(bits)))


def decode(runs: Runs) -> str:
    """Return the string of bits that has these runs."""
    first = int(runs.first or "0")
    return "".join(str((first + n) % 2) * length for n, length in enumerate(runs.lengths))


def random_runs(rng: torch.Generator, first: str, count: int) -> Runs:
    """Draw so many runs, of 1 to 9 bits each."""
    return Runs(first, tuple(torch.randint(1, 10, (count,), generator=rng).tolist()))
