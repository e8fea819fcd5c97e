"""task: 1.1
does: notes a run when the bit changes, and so never the last one
hint: These are all runs but one. What ends the run at the end of the string?
"""


def encode(bits: str) -> Runs:
    lengths, length = [], 0
    for n, bit in enumerate(bits):
        if n and bit != bits[n - 1]:
            lengths.append(length)
            length = 0
        length += 1
    return Runs(bits[:1], tuple(lengths))
