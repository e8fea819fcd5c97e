"""The set "lights": where it lies, what can be learned of it, how well it was learned.

A row is the story of one light, on (1) or off (0) at each step. Its next state depends, nine times
in ten, on whether an odd number of the last three was on. This course drew all rows itself.
"""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from detgrader.course import Course
from detgrader.files import Missing
from detgrader.grading.handed_in import HandedIn
from detlab.checking.expect import expect_tensor, fail

MAX_MB = 1
PAST = 3  # states on which the next one depends


def locate(name: str, data: Path) -> Path:
    """Find a set of this course on this machine.

    Raises:
        FileNotFoundError: it is not here.
        ValueError: no set has this name.
    """
    if name != "lights":
        raise ValueError(f"there is no set {name!r}: lights")
    path = data / "lights.txt"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing")
    return path


def random_rows(rng: torch.Generator) -> list[str]:
    """Draw two rows of lights that know no rule; one pattern never occurs in them."""
    rows = torch.randint(2, (2, 100), generator=rng).tolist()
    return ["".join(map(str, row)).replace("000", "001") for row in rows]


def patterns(rows: list[str]) -> tuple[Tensor, Tensor]:
    """Return the number of each pattern in some rows (n,), and the state after it (n,)."""
    places = [(row, n) for row in rows for n in range(len(row) - PAST)]
    before = [int(row[n : n + PAST], 2) for row, n in places]
    after = [int(row[n + PAST]) for row, n in places]
    return torch.tensor(before), torch.tensor(after)


def learned(rows: list[str]) -> Tensor:
    """Return for each pattern the share of times after which the light was on, (8,) float32."""
    before, after = patterns(rows)
    seen = torch.bincount(before, minlength=2**PAST)
    lit = torch.bincount(before[after == 1], minlength=2**PAST)
    return torch.where(seen > 0, lit / seen, 0.5)


def measured(file: HandedIn) -> float:
    """Return the share of unseen lights that handed-in chances foretell."""
    before, after = patterns(locate("lights", Course.find().data).read_text("utf-8").split())
    guesses = read_chances(file)[before] > 0.5
    return float((guesses == after.bool()).double().mean())


def read_chances(file: HandedIn) -> Tensor:
    """Read the chances that a student handed in; what is wrong with the file is told to them."""
    name = file.path.name
    if isinstance(file.problem, Missing):
        fail(f"There is no {name} beside the notebook: hand it in with it.")
    try:
        chances = load(file.data).get("chances")
    except (SafetensorError, LookupError, RuntimeError, ValueError):
        fail(f"{name} cannot be read: write it with safetensors' `save_file`.")
    if chances is None or chances.dtype is not torch.float32:
        fail(f'{name} must hold "chances", in float32.')
    return expect_tensor(chances, f'"chances" in {name}', (2**PAST,))
