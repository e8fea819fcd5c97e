"""task: 1.1
does: names the last bit as the first
hint: The lengths are right, but whoever decodes them begins with the wrong bit. Which one is first?
"""


def encode(bits: str) -> Runs:
    return Runs(bits[-1:], tuple(len(list(run)) for _, run in groupby(bits)))
