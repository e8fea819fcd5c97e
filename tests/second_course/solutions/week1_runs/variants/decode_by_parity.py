"""task: 1.2
does: takes the bit of each run from its place
"""


def decode(runs: Runs) -> str:
    return "".join(
        runs.first * length if n % 2 == 0 else "10"[int(runs.first)] * length
        for n, length in enumerate(runs.lengths)
    )
