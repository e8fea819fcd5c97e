"""task: 1.1
does: counts in a loop, and leaves the lengths in a list
"""


def encode(bits: str) -> Runs:
    lengths = []
    for n, bit in enumerate(bits):
        if n == 0 or bit != bits[n - 1]:
            lengths.append(0)
        lengths[-1] += 1
    return Runs(first=bits[:1], lengths=lengths)
