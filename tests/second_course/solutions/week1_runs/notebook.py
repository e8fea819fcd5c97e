# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Week 1 · Bits in runs
#
# A fax of an empty page says "white" a million times. It is shorter to say how long it stays white.

# %% nbgrader={"grade_id": "setup"}
from itertools import groupby

import torch
from torch import Tensor

from runlab.lights import ROWS
from runlab.runs import Runs
from runlab.weeks import check

# %% [markdown]
# ## Task 1.1 · Encode (8 points)
#
# `encode` turns a string of `0` and `1` into its `Runs`: the first bit, and the lengths of the runs
# in order. `"0001011"` has the lengths 3, 1, 1 and 2. The empty string has no first bit, `""`, and
# no lengths.


# %% nbgrader={"grade_id": "task_1_1", "solution": true}
def encode(bits: str) -> Runs:
    """Return the runs of a string of bits."""
    ### BEGIN SOLUTION
    return Runs(bits[:1], tuple(len(list(run)) for _, run in groupby(bits)))
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_1_1", "points": 8}
check("1.1")

# %% [markdown]
# ## Task 1.2 · Decode, and does it pay? (6 points)
#
# `decode` goes back from runs to the string. `pays` says whether the runs of a string are fewer
# numbers than it has bits; the first bit counts as a number, too.


# %% nbgrader={"grade_id": "task_1_2", "solution": true}
def decode(runs: Runs) -> str:
    """Return the string of bits that has these runs."""
    ### BEGIN SOLUTION
    bit, text = runs.first, ""
    for length in runs.lengths:
        text += bit * length
        bit = "1" if bit == "0" else "0"
    return text
    ### END SOLUTION


def pays(bits: str) -> bool:
    """Say whether runs are the shorter way to write a string of bits."""
    ### BEGIN SOLUTION
    return 1 + len(encode(bits).lengths) < len(bits)
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_1_2", "points": 6}
check("1.2")

# %% [markdown]
# ## Task 1.3 · Lights (6 points)
#
# Each row of `ROWS` is the story of one light. `learn` finds out how likely a light is on after
# each pattern of three states: after `a`, `b` and then `c` the chance is the entry 4a + 2b + c. A
# pattern that never occurred before another state has a chance of 0.5. This is worth 3 points.
#
# Hand in what it learned from `ROWS` **beside the notebook**, under the notebook's name:
# `week1_runs.safetensors`. The grader foretells lights that you have not seen: on, where the chance
# is more than a half.
#
# | | 1 point | 2 points | 3 points |
# | --- | --- | --- | --- |
# | right at least | 0.60 | 0.75 | 0.85 |


# %% nbgrader={"grade_id": "task_1_3", "solution": true}
def learn(rows: list[str]) -> Tensor:
    """Return the chances that a light is on after each pattern, (8,) float32."""
    ### BEGIN SOLUTION
    counts = torch.zeros(8, 2)
    for row in rows:
        for n in range(3, len(row)):
            counts[int(row[n - 3 : n], 2), int(row[n])] += 1
    return torch.where(counts.sum(1) > 0, counts[:, 1] / counts.sum(1), 0.5)
    ### END SOLUTION


# %% nbgrader={"grade_id": "check_1_3", "points": 6}
check("1.3")

# %%
from safetensors.torch import save_file

save_file({"chances": learn(list(ROWS))}, "week1_runs.safetensors")
